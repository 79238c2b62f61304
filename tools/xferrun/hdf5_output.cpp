#include "tools/xferrun/hdf5_output.h"

#include <fmt/format.h>

#include <filesystem>

#include "engine/core/error.h"
#include "engine/io/hdf5.h"

namespace xf::tool {

namespace {

bool is_of(const OutputKind& kind, const std::string& path) {
  try {
    return hdf5::File(path).has_attribute("/", kind.attribute);
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

void check_output(const std::string& out, bool force, const OutputKind& kind) {
  std::error_code none;
  if (!std::filesystem::exists(std::filesystem::symlink_status(out, none))) return;
  if (!force)
    throw OutputExistsError(out, "exists already",
                            fmt::format("choose another --out, or --force to replace earlier {}", kind.what));
  if (!is_of(kind, out))
    throw OutputExistsError(out,
                            fmt::format("was not written by {}: --force does not replace it", kind.writer),
                            "choose another --out");
}

}  // namespace xf::tool
