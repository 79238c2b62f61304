#pragma once
// Writing weights: for this program, which the file then tells everything it must know, and for others.

#include <filesystem>
#include <span>
#include <string>

#include "engine/core/tensor.h"
#include "weights/run_info.h"
#include "weights/target.h"

namespace xf::weights {

/// A tensor of the model under its canonical name; f32, in the model's layout (weights/layers.h).
struct NamedTensor {
  std::string name;
  const Tensor* tensor;
};

/// Writes `tensors`, given in the order of the model's creation, atomically. In Keras's layouts layers have
/// Keras's names and stand in the order of its `model.layers`, so that
/// `InceptionV3(weights=None, classes=N).load_weights(path)` takes them. Each dataset carries its checksum,
/// and the file what `info` says. `info.model_id` is ignored; the id that the weights give is written and
/// returned. The target must be able to express the network (cannot_express()). Throws WriteError.
std::string save(const std::filesystem::path& path, const RunInfo& info, std::span<const NamedTensor> tensors,
                 Target target = Target::run);

}  // namespace xf::weights
