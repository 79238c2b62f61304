#pragma once
// The layouts that weights are written in for other programs, and which networks those programs can build.

#include <cstdint>
#include <string>
#include <string_view>

#include "models/dialect.h"
#include "weights/tables/keras.h"

namespace xf::weights {

/// Whose layout a file is written in.
enum class Target : uint8_t {
  run,         ///< this program's: Keras's legacy one, under Keras's names where the dialect is Keras's, else
               ///< under canonical ones
  keras,       ///< Keras's legacy layout
  keras3,      ///< Keras 3's .weights.h5
  torchvision  ///< a dataset for each key of the state dict of torchvision's class, or, of inception_v2, of
               ///< Cadene's; kernels OIHW
};

/// "keras", "keras3" or "torchvision". Throws UsageError with the valid names.
Target parse_target(std::string_view text);

/// The generation of names that the dialect's epsilon tells.
KerasNames keras_names(std::string_view network, const Dialect& dialect);

/// Why the target's own class cannot compute what this network does ("Keras has no resnet18"); empty where it
/// can.
std::string cannot_express(Target target, std::string_view network, const Dialect& dialect);

}  // namespace xf::weights
