#include "weights/bundled/bundled.h"

// The assembler copies a file into the object, from `symbol`_begin to `symbol`_end; CMakeLists.txt names the
// folder and rebuilds when a file changes.
#define XFERRUN_EMBED(symbol, file)                                                               \
  asm(".pushsection .rodata\n.balign 16\n" #symbol "_begin:\n.incbin \"" XFERRUN_BUNDLED "/" file \
      "\"\n" #symbol "_end:\n.byte 0\n.popsection\n");                                            \
  extern "C" {                                                                                    \
  extern const char symbol##_begin[]; /* NOLINT(readability-identifier-naming) */                 \
  extern const char symbol##_end[];   /* NOLINT(readability-identifier-naming) */                 \
  }

XFERRUN_EMBED(xferrun_resnet18_narrow, "resnet18_narrow.h5")
XFERRUN_EMBED(xferrun_imagenet_classes, "imagenet_classes.txt")

namespace xf::weights {
namespace {

std::string_view between(const char* begin, const char* end) {
  return {begin, static_cast<size_t>(end - begin)};
}

}  // namespace

std::string_view bundled_resnet18_narrow() {
  return between(xferrun_resnet18_narrow_begin, xferrun_resnet18_narrow_end);
}

std::vector<std::string> imagenet_classes() {
  std::vector<std::string> names;
  for (std::string_view text = between(xferrun_imagenet_classes_begin, xferrun_imagenet_classes_end);
       !text.empty();) {
    const size_t line = text.find('\n');
    names.emplace_back(text.substr(0, line));
    text.remove_prefix(line + 1);
  }
  return names;
}

}  // namespace xf::weights
