#include "weights/listing.h"

#include <algorithm>
#include <utility>

#include "engine/core/error.h"
#include "weights/formats/formats.h"

namespace xf::weights {

std::string_view name(Format format) {
  switch (format) {
    case Format::keras: return "Keras legacy HDF5";
    case Format::keras3: return "Keras 3 .weights.h5";
    case Format::state_dict: return "PyTorch state dict";
    case Format::caffe: return "Caffe blobs";
  }
  throw InternalError("a weight file's format", "is none");
}

bool outputs_first(Format format) { return format == Format::state_dict || format == Format::caffe; }

const StoredTensor* StoredLayer::find(Role role) const {
  const auto at = std::find_if(tensors.begin(), tensors.end(), [&](const auto& t) { return t.role == role; });
  return at == tensors.end() ? nullptr : &*at;
}

bool StoredLayer::is_dense() const {
  const StoredTensor* kernel = find(Role::kernel);
  return kernel != nullptr && kernel->dims && kernel->dims->size() == 2;
}

StoredTensor stored_tensor(const hdf5::File& file, std::string name, std::string dataset, Role role) {
  StoredTensor tensor{std::move(name), std::move(dataset), role, {}, {}};
  if (!file.is_dataset(tensor.dataset)) return tensor;
  tensor.dims = file.dims(tensor.dataset);
  tensor.type = file.element_type(tensor.dataset);
  return tensor;
}

Listing read_listing(const hdf5::File& file) {
  for (const auto read : {list_legacy_keras, list_keras3}) {
    if (auto listing = read(file)) return *std::move(listing);
  }
  // These two know their own by the names of all datasets.
  const std::vector<std::string> datasets = file.datasets("/");
  for (const auto read : {list_state_dict, list_caffe}) {
    if (auto listing = read(file, datasets)) return *std::move(listing);
  }
  throw DataError(
      file.path().string(), "holds no weights in a layout that is read",
      "Layouts: Keras's .h5 and .weights.h5; a dataset for each key of a PyTorch state dict; Caffe's "
      "LAYER/INDEX.");
}

}  // namespace xf::weights
