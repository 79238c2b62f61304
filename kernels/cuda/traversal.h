#pragma once
// The way of every kernel that treats each number alone: over the rows and columns of its operands, 16 bytes
// of the widest one at a time.
//
// Operands without gaps between their rows are one long row. Else threads lie along the columns and down the
// rows, so that neighbours touch neighbouring vectors. Vectors are used where every operand's rows begin on
// one; a row's last elements that fill no vector, and operands that lie otherwise, go one by one. Each
// element is treated by one thread: the result does not depend on the way.

#include <algorithm>
#include <bit>

#include "kernels/cuda/element.h"
#include "kernels/cuda/rows.h"
#include "kernels/simt/simt.h"

namespace xf::cuda {

/// N numbers side by side, in f32 as arithmetic has them.
template <int N>
struct Floats {
  float v[N];
};

template <int N, class T>
__device__ __forceinline__ Floats<N> load_floats(const T* address) {
  const auto pack = simt::load<simt::Pack<T, N>>(address);
  Floats<N> x;
  for (int j = 0; j < N; ++j) x.v[j] = to_float(pack.v[j]);
  return x;
}

/// N parameters side by side, four at once where they begin on 16 bytes: nobody promises that they do.
template <int N>
__device__ __forceinline__ Floats<N> load_parameters(const float* address) {
  Floats<N> x;
  if constexpr (N % 4 == 0) {
    if (reinterpret_cast<uintptr_t>(address) % 16 == 0) {
      for (int i = 0; i < N; i += 4) {
        const Floats<4> four = load_floats<4>(address + i);
        for (int j = 0; j < 4; ++j) x.v[i + j] = four.v[j];
      }
      return x;
    }
  }
  for (int j = 0; j < N; ++j) x.v[j] = simt::load<float>(address + j);
  return x;
}

template <int N, class T>
__device__ __forceinline__ void store_floats(T* address, const Floats<N>& x) {
  simt::Pack<T, N> pack;
  for (int j = 0; j < N; ++j) pack.v[j] = from_float<T>(x.v[j]);
  simt::store(address, pack);
}

/// An operand inside a kernel. T is const where it is read.
template <class T>
struct View {
  T* data = nullptr;
  int64_t stride = 0;
  __device__ __forceinline__ T* at(int64_t row, int64_t column) const { return data + row * stride + column; }
};

template <class T>
View<const T> view(const RowsIn& rows) {
  return {static_cast<const T*>(rows.data), rows.stride};
}
template <class T>
View<T> view(const RowsOut& rows) {
  return {static_cast<T*>(rows.data), rows.stride};
}

/// Calls body.run<V>(row, c) at c = first, first + step … while V columns are left before `end`, and
/// body.run<1> for the columns of a last vector that is not whole. `first` and `step` are multiples of V.
template <int V, class Body>
__device__ __forceinline__ void sweep(const Body& body, int64_t row, int64_t first, int64_t end,
                                      int64_t step) {
  for (int64_t c = first; c < end; c += step) {
    if (c + V <= end) {
      body.template run<V>(row, c);
    } else {
      for (int64_t rest = c; rest < end; ++rest) body.template run<1>(row, rest);
    }
  }
}

constexpr unsigned kTraversalThreads = 256;

template <int V, class Body>
__global__ void __launch_bounds__(kTraversalThreads) traverse(Extent extent, Body body) {
  const int64_t row_step = int64_t{gridDim.y} * blockDim.y;
  const int64_t first = (int64_t{blockIdx.x} * blockDim.x + threadIdx.x) * V;
  for (int64_t row = int64_t{blockIdx.y} * blockDim.y + threadIdx.y; row < extent.rows; row += row_step)
    sweep<V>(body, row, first, extent.columns, int64_t{gridDim.x} * blockDim.x * V);
}

/// A launch of `traverse`, from the shapes and addresses of the operands: each must be named with over().
/// Threads move V elements at once where that is possible. A body has
/// `template <int N> __device__ void run(int64_t row, int64_t column) const`, for N elements at that place.
template <int V>
class Traversal {
 public:
  explicit Traversal(Extent extent) : extent_(extent) {}

  template <class T>
  Traversal& over(const View<T>& operand) {
    constexpr size_t kBytes = V * sizeof(T);
    static_assert(kBytes <= 16);
    aligned_ = aligned_ && reinterpret_cast<uintptr_t>(operand.data) % kBytes == 0;
    whole_rows_ = whole_rows_ && operand.stride % V == 0;
    flat_ = flat_ && operand.stride == extent_.columns;
    return *this;
  }

  /// For bodies to which the column is a channel: rows stay rows.
  Traversal& by_channel() {
    flat_ = false;
    return *this;
  }

  template <class Body>
  cudaError_t run(const Body& body, cudaStream_t stream) const {
    const Extent extent = flat_ ? Extent{1, extent_.rows * extent_.columns} : extent_;
    return aligned_ && (whole_rows_ || extent.rows == 1) ? launch<V>(extent, body, stream)
                                                         : launch<1>(extent, body, stream);
  }

 private:
  // Enough to fill any device several times over; beyond that, threads go on to further elements.
  static constexpr int64_t kMostBlocks = 4096;

  template <int N, class Body>
  static cudaError_t launch(const Extent& extent, const Body& body, cudaStream_t stream) {
    const int64_t vectors = (extent.columns + N - 1) / N;
    int64_t x = kTraversalThreads, y = 1;
    if (extent.rows > 1) {
      const int64_t blocks = (vectors + 31) / 32;
      x = (vectors + blocks - 1) / blocks;
      y = std::bit_floor(kTraversalThreads / static_cast<unsigned>(x));
    }
    const int64_t across = std::min((vectors + x - 1) / x, kMostBlocks);
    const int64_t down = std::min((extent.rows + y - 1) / y, std::max<int64_t>(kMostBlocks / across, 1));
    return simt::launch(&traverse<N, Body>, dim3(static_cast<unsigned>(across), static_cast<unsigned>(down)),
                        dim3(static_cast<unsigned>(x), static_cast<unsigned>(y)), 0, stream, extent, body);
  }

  Extent extent_;
  bool aligned_ = true, whole_rows_ = true, flat_ = true;
};

}  // namespace xf::cuda
