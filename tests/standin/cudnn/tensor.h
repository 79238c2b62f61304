#pragma once
// A tensor of an operation graph: its geometry, and how its elements lie in memory.

#include <cudnn_graph.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/standin/cudnn/descriptor.h"
#include "tests/standin/floats.h"

namespace xf::standin::cudnn {

struct Tensor {
  /// Reads a finalized tensor descriptor.
  explicit Tensor(const Descriptor& d);

  int64_t uid, alignment;
  cudnnDataType_t data_type;
  std::vector<int64_t> dims, strides;
  bool is_virtual, by_value;

  [[nodiscard]] Element element() const;
  [[nodiscard]] int64_t count() const;
  /// Bytes from the first element to past the last.
  [[nodiscard]] size_t bytes() const;
  /// Where each element lies from the first, in elements; the last dimension runs fastest.
  [[nodiscard]] std::vector<int64_t> offsets() const;
  /// Whether two elements lie in one place.
  [[nodiscard]] bool overlaps_itself() const;
  /// "tensor 3 [2 8 9 7; strides 504 1 56 8]"
  [[nodiscard]] std::string text() const;

  friend bool operator==(const Tensor&, const Tensor&) = default;
};

/// What a tensor descriptor must satisfy by itself. Throws Failure.
void check_tensor(const Descriptor& d);

/// Values of a tensor in device memory, by element.
std::vector<double> read(const Tensor& t, const char* memory);
void write(const Tensor& t, char* memory, const std::vector<double>& values);

}  // namespace xf::standin::cudnn
