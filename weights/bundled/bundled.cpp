#include "weights/bundled/bundled.h"

#include "engine/core/embed.h"

XFERRUN_EMBED(xferrun_resnet18_narrow, XFERRUN_BUNDLED "/resnet18_narrow.h5")
XFERRUN_EMBED(xferrun_imagenet_classes, XFERRUN_BUNDLED "/imagenet_classes.txt")

namespace xf::weights {

std::string_view bundled_resnet18_narrow() { return XFERRUN_EMBEDDED(xferrun_resnet18_narrow); }

std::vector<std::string> imagenet_classes() {
  std::vector<std::string> names;
  for (std::string_view text = XFERRUN_EMBEDDED(xferrun_imagenet_classes); !text.empty();) {
    const size_t line = text.find('\n');
    names.emplace_back(text.substr(0, line));
    text.remove_prefix(line + 1);
  }
  return names;
}

}  // namespace xf::weights
