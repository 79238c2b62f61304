// Bias, activation and its gradient, sum: one pass each. Per element of e bytes, relu and add_bias move 2e,
// relu_bwd 3e, add of n terms (n + 1) e: the bound is the memory's bandwidth. The bias, one number a channel,
// stays in the first-level cache.

#include "kernels/cuda/pointwise.h"

#include "kernels/cuda/element.h"
#include "kernels/cuda/traversal.h"
#include "kernels/simt/simt.h"

namespace xf::cuda {
namespace {

template <class T>
struct Relu {
  View<const T> x;
  View<T> y;
  template <int N>
  __device__ __forceinline__ void run(int64_t row, int64_t column) const {
    Floats<N> value = load_floats<N>(x.at(row, column));
    for (int j = 0; j < N; ++j)
      if (value.v[j] < 0) value.v[j] = 0;  // not fmaxf, which would drop a NaN
    store_floats(y.at(row, column), value);
  }
};

template <class T>
struct ReluBwd {
  View<const T> dy, y;
  View<T> dx;
  template <int N>
  __device__ __forceinline__ void run(int64_t row, int64_t column) const {
    Floats<N> gradient = load_floats<N>(dy.at(row, column));
    const Floats<N> sign = load_floats<N>(y.at(row, column));
    for (int j = 0; j < N; ++j) gradient.v[j] = sign.v[j] > 0 ? gradient.v[j] : 0;
    store_floats(dx.at(row, column), gradient);
  }
};

template <class T>
struct AddBias {
  View<const T> x;
  const float* bias;
  View<T> y;
  template <int N>
  __device__ __forceinline__ void run(int64_t row, int64_t column) const {
    Floats<N> value = load_floats<N>(x.at(row, column));
    const Floats<N> more = load_parameters<N>(bias + column);
    for (int j = 0; j < N; ++j) value.v[j] += more.v[j];
    store_floats(y.at(row, column), value);
  }
};

template <class T>
struct Sum {
  View<T> y;
  int terms = 0;
  View<const T> term[kMostTerms];
  template <int N>
  __device__ __forceinline__ void run(int64_t row, int64_t column) const {
    Floats<N> sum = load_floats<N>(term[0].at(row, column));
    SIMT_UNROLL(4)
    for (int i = 1; i < terms; ++i) {
      const Floats<N> more = load_floats<N>(term[i].at(row, column));
      for (int j = 0; j < N; ++j) sum.v[j] += more.v[j];
    }
    store_floats(y.at(row, column), sum);
  }
};

}  // namespace

int relu(Extent extent, DType dtype, RowsIn x, RowsOut y, void* stream) {
  return for_element(dtype, [&]<class T>() {
    const Relu<T> body{view<T>(x), view<T>(y)};
    return Traversal<kVector<T>>(extent).over(body.x).over(body.y).run(body,
                                                                       static_cast<cudaStream_t>(stream));
  });
}

int relu_bwd(Extent extent, DType dtype, RowsIn dy, RowsIn y, RowsOut dx, void* stream) {
  return for_element(dtype, [&]<class T>() {
    const ReluBwd<T> body{view<T>(dy), view<T>(y), view<T>(dx)};
    Traversal<kVector<T>> traversal(extent);
    return traversal.over(body.dy).over(body.y).over(body.dx).run(body, static_cast<cudaStream_t>(stream));
  });
}

int add_bias(Extent extent, DType dtype, RowsIn x, const float* bias, RowsOut y, void* stream) {
  return for_element(dtype, [&]<class T>() {
    const AddBias<T> body{view<T>(x), bias, view<T>(y)};
    Traversal<kVector<T>> traversal(extent);
    return traversal.by_channel().over(body.x).over(body.y).run(body, static_cast<cudaStream_t>(stream));
  });
}

int add(Extent extent, DType dtype, std::span<const RowsIn> terms, RowsOut y, void* stream) {
  return for_element(dtype, [&]<class T>() {
    Sum<T> body;
    body.y = view<T>(y);
    Traversal<kVector<T>> traversal(extent);
    traversal.over(body.y);
    for (const RowsIn& x : terms) {
      body.term[body.terms] = view<T>(x);
      traversal.over(body.term[body.terms++]);
    }
    return traversal.run(body, static_cast<cudaStream_t>(stream));
  });
}

}  // namespace xf::cuda
