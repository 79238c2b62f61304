#pragma once
// Writing weights: a legacy Keras file, which Keras itself loads where it has the network.

#include <filesystem>
#include <span>
#include <string>

#include "engine/core/tensor.h"
#include "weights/run_info.h"

namespace xf::weights {

/// A tensor of the model under its canonical name; f32, in the model's layout (weights/layers.h).
struct NamedTensor {
  std::string name;
  const Tensor* tensor;
};

/// Writes `tensors`, given in the order of the model's creation, atomically. In Keras's dialect layers have
/// Keras's names and stand in the order of its `model.layers`, so that
/// `InceptionV3(weights=None, classes=N).load_weights(path)` takes them; in another they keep their canonical
/// names and order. Each dataset carries its checksum. `info.model_id` is ignored; the id that the weights
/// give is written and returned. Throws WriteError.
std::string save(const std::filesystem::path& path, const RunInfo& info,
                 std::span<const NamedTensor> tensors);

}  // namespace xf::weights
