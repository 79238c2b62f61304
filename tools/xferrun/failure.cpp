#include "tools/xferrun/failure.h"

#include <exception>
#include <filesystem>
#include <new>

#include "engine/core/error.h"

namespace xf::tool {

namespace {

ExitCode exit_code(const Error& e) {
  if (dynamic_cast<const UsageError*>(&e) != nullptr) return kUsage;
  if (dynamic_cast<const DataError*>(&e) != nullptr) return kBadData;
  if (dynamic_cast<const MissingInputError*>(&e) != nullptr) return kNoInput;
  if (dynamic_cast<const UnavailableError*>(&e) != nullptr) return kUnavailable;
  if (dynamic_cast<const MemoryError*>(&e) != nullptr) return kNoMemory;
  if (dynamic_cast<const OutputExistsError*>(&e) != nullptr) return kExists;
  if (dynamic_cast<const WriteError*>(&e) != nullptr) return kWriteFailed;
  if (dynamic_cast<const StoppedError*>(&e) != nullptr) return kStopped;
  if (dynamic_cast<const DivergedError*>(&e) != nullptr) return kDiverged;
  return kInternal;
}

/// What to do where the error does not say it.
std::string usual_remedy(ExitCode code) {
  switch (code) {
    case kUsage: return "see xferrun --help";
    case kBadData: return "correct it, or name another";
    case kNoInput: return "name one that is there and that you may read";
    case kUnavailable: return "use --device cpu";
    case kNoMemory: return "use a smaller --batch";
    case kExists:
    case kWriteFailed: return "name another place";
    default: return "this is a defect of xferrun: please report it with the command line";
  }
}

}  // namespace

Failure current_failure() {
  try {
    throw;
  } catch (const Error& e) {
    const ExitCode code = exit_code(e);
    return {code, e.what(), e.remedy().empty() ? usual_remedy(code) : e.remedy()};
  } catch (const std::bad_alloc&) {
    return {kNoMemory, "memory: the system gave no more", usual_remedy(kNoMemory)};
  } catch (const std::filesystem::filesystem_error& e) {
    return {kNoInput, e.path1().string() + ": " + e.code().message(), "check the path and who may use it"};
  } catch (const std::exception& e) {
    return {kInternal, std::string("internal: ") + e.what(), usual_remedy(kInternal)};
  }
}

}  // namespace xf::tool
