// Canonical weights into the type and width that a convolution or product wants: one pass, 4 + e bytes for an
// element of e bytes. The bound is the memory's bandwidth. With channels added, which the few weights of a
// first layer need, reads go one by one: the rows of three channels begin on no vector.

#include "kernels/cuda/pack.h"

#include "kernels/cuda/cast.h"
#include "kernels/cuda/element.h"
#include "kernels/cuda/traversal.h"
#include "kernels/simt/simt.h"

namespace xf::cuda {
namespace {

template <class T>
struct Widen {
  View<const float> weights;
  int64_t channels;
  View<T> packed;
  template <int N>
  __device__ __forceinline__ void run(int64_t row, int64_t column) const {
    Floats<N> value;
    for (int j = 0; j < N; ++j)
      value.v[j] = column + j < channels ? simt::load<float>(weights.at(row, column + j)) : 0;
    store_floats(packed.at(row, column), value);
  }
};

}  // namespace

int pack_weights(const Shape& shape, const float* weights, const WeightLayout& layout, void* packed,
                 void* stream) {
  const Extent extent{shape.rows(), layout.channels};
  const RowsIn from{weights, shape.c};
  const RowsOut to{packed, layout.channels};
  if (layout.channels == shape.c) return cast(extent, DType::f32, from, layout.type, to, stream);
  return for_element(layout.type, [&]<class T>() {
    const Widen<T> body{view<float>(from), shape.c, view<T>(to)};
    Traversal<kVector<T>> traversal(extent);
    return traversal.by_channel().over(body.packed).run(body, static_cast<cudaStream_t>(stream));
  });
}

}  // namespace xf::cuda
