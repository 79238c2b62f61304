#pragma once
// The files that the program carries inside it. README.md beside this says where they come from.

#include <string>
#include <string_view>
#include <vector>

namespace xf::weights {

/// The bytes of weights/bundled/resnet18_narrow.h5: the network that `demo` starts from.
std::string_view bundled_resnet18_narrow();

/// The names of ImageNet's 1000 classes (ILSVRC 2012) in the order of every network's outputs.
std::vector<std::string> imagenet_classes();

}  // namespace xf::weights
