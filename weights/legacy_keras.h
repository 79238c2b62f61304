#pragma once
// Keras's legacy HDF5 layout: what layers and tensors a file lists, before anybody knows what they mean.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/io/hdf5.h"
#include "weights/layers.h"

namespace xf::weights {

struct StoredTensor {
  std::string name;     ///< for people: layer and weight name as in the file, "conv2d_4/kernel:0"
  std::string dataset;  ///< path in the file
  Role role;
  std::optional<std::vector<int64_t>> dims;  ///< nothing when the file lists the tensor but does not hold it
};

struct StoredLayer {
  std::string name;
  std::vector<StoredTensor> tensors;  ///< at least one

  [[nodiscard]] const StoredTensor* find(Role role) const;
  /// A two-dimensional kernel.
  [[nodiscard]] bool is_dense() const;
};

struct LegacyFile {
  std::string keras_version;  ///< "1" where the file does not say, as Keras reads it
  std::vector<StoredLayer> layers;
};

/// Lists the layers that have weights, in the file's order: of a weights-only file or of a whole model
/// (`model_weights/`); a model used as a layer counts as its own layers. Throws DataError when the file is in
/// no legacy Keras layout.
LegacyFile read_layers(const hdf5::File& file);

}  // namespace xf::weights
