#pragma once
// The weights that the program carries inside it.

#include <string_view>

namespace xf::weights {

/// The bytes of weights/bundled/resnet18_narrow.h5: the network that `demo` starts from. README.md beside it
/// says how it was made.
std::string_view bundled_resnet18_narrow();

}  // namespace xf::weights
