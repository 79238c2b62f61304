#pragma once
// One tensor of a file into the model's layout, a few megabytes at a time: however large a tensor is, reading
// it takes no second copy of it. One thread keeps up with the disk; more would mostly wait for each other.

#include <string>
#include <vector>

#include "engine/core/tensor.h"
#include "engine/io/hdf5.h"
#include "weights/listing.h"

namespace xf::weights {

/// How a file orders what the model has as OHWI.
enum class StorageOrder : uint8_t { as_is, hwio, oihw };

struct TensorSource {
  const StoredTensor* tensor;
  StorageOrder order;
  const StoredTensor* divisor;  ///< a single number that divides all; nullptr: none
};

class TensorReader {
 public:
  explicit TensorReader(const hdf5::File& file) : file_(file) {}

  /// Fills `out`, of as many elements. Returns what is wrong with the tensor: values that are not finite, a
  /// checksum that it does not have; empty when nothing is. Throws DataError where the file cannot be read.
  std::string read(const TensorSource& source, Tensor& out);

 private:
  std::string divide(const StoredTensor& divisor, std::span<float> values) const;

  const hdf5::File& file_;
  std::vector<float> rows_;
};

}  // namespace xf::weights
