#include "tools/embed/guarded.h"

#include <algorithm>
#include <span>
#include <string_view>

#include "engine/core/error.h"
#include "tools/xferrun/failure.h"

namespace xf::embed {

namespace {

/// As much as there is room for, without half a character of UTF-8 at the end.
void copy_text(std::string_view text, std::span<char> to) {
  const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; };
  size_t length = std::min(text.size(), to.size() - 1);
  while (length < text.size() && length > 0 && continues(text[length])) --length;
  *std::copy_n(text.begin(), length, to.begin()) = '\0';
}

}  // namespace

xf_status status_of_current(xf_error* error) noexcept {
  try {
    const tool::Failure failure = tool::current_failure();
    if (error != nullptr) {
      copy_text(failure.what, error->what);
      copy_text(failure.remedy, error->remedy);
    }
    return static_cast<xf_status>(failure.code);
  } catch (...) {  // not even the message could be made
    return XF_NO_MEMORY;
  }
}

void require(const void* pointer, const char* argument) {
  if (pointer == nullptr) throw UsageError(argument, "is null", "see xferrun.h");
}

}  // namespace xf::embed
