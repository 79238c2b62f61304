#pragma once
// Operands of the kernels that treat each number alone: matrices whose rows are pixels and whose columns are
// channels, in device memory.

#include <cstdint>

namespace xf::cuda {

struct Extent {
  int64_t rows = 0, columns = 0;
};

/// What a kernel reads: rows that begin `stride` elements apart. That is the column count, or more for a
/// slice of a wider tensor.
struct RowsIn {
  const void* data = nullptr;
  int64_t stride = 0;
};

/// What a kernel writes.
struct RowsOut {
  void* data = nullptr;
  int64_t stride = 0;
};

}  // namespace xf::cuda
