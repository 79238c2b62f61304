#include "weights/bundled/bundled.h"

// The assembler copies the file into the object; CMakeLists.txt names it and rebuilds when it changes.
asm(R"(
  .pushsection .rodata
  .balign 16
xferrun_bundled_begin:
  .incbin ")" XFERRUN_BUNDLED_FILE R"("
xferrun_bundled_end:
  .byte 0
  .popsection
)");

extern "C" {
extern const char xferrun_bundled_begin[];  // NOLINT(readability-identifier-naming)
extern const char xferrun_bundled_end[];    // NOLINT(readability-identifier-naming)
}

namespace xf::weights {

std::string_view bundled_resnet18_narrow() {
  return {xferrun_bundled_begin, static_cast<size_t>(xferrun_bundled_end - xferrun_bundled_begin)};
}

}  // namespace xf::weights
