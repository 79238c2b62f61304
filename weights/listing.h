#pragma once
// What layers and tensors a weight file lists, before anybody knows what they mean: one list for every
// format, each filled by its own reader in weights/formats/.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/io/hdf5.h"
#include "weights/layers.h"

namespace xf::weights {

/// How a file lays its tensors out.
enum class Format : uint8_t {
  keras,       ///< Keras's legacy HDF5: attributes layer_names and weight_names
  keras3,      ///< Keras 3's .weights.h5: /layers/<class>_<number>/vars/<index>
  state_dict,  ///< PyTorch's state dict: datasets named by their keys
  caffe        ///< Caffe's blobs: <layer>/<index>
};

/// For people: "Keras legacy HDF5".
std::string_view name(Format format);

/// Whether kernels stand as (outputs, inputs, rows, columns); otherwise as (rows, columns, inputs, outputs).
bool outputs_first(Format format);

struct StoredTensor {
  std::string name;     ///< for people: layer and weight name as in the file, "conv2d_4/kernel:0"
  std::string dataset;  ///< path in the file
  Role role;
  std::optional<std::vector<int64_t>> dims;  ///< nothing when the file lists the tensor but does not hold it
  std::string type;                          ///< of its elements: "f32" (hdf5::File::element_type)
};

struct StoredLayer {
  std::string name;
  std::vector<StoredTensor> tensors;  ///< at least one

  [[nodiscard]] const StoredTensor* find(Role role) const;
  /// A two-dimensional kernel.
  [[nodiscard]] bool is_dense() const;
};

struct Listing {
  Format format;
  std::string writer;  ///< version of Keras that wrote it, where the file says so
  std::vector<StoredLayer> layers;
  /// Names are those that the network's author gave, not just its classes with running numbers in order of
  /// depth (Keras 3 without the attribute `name`).
  bool named = true;
  /// Tensors that no network here has a use for, by their names in the file: counts of batches, the auxiliary
  /// classifier of torchvision's InceptionV3.
  std::vector<std::string> skipped;
};

/// Lists the layers that have weights, in the file's order. Throws DataError when the file is in no format
/// that is read, or when what it says about its layers makes no sense.
Listing read_listing(const hdf5::File& file);

/// The tensor at `dataset`, with its extents where it is there.
StoredTensor stored_tensor(const hdf5::File& file, std::string name, std::string dataset, Role role);

}  // namespace xf::weights
