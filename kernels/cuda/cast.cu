// Changes of type: one pass, e + e' bytes for an element of e bytes that becomes one of e'. The wider side
// moves 16 bytes a thread, the narrower as many elements. The bound is the memory's bandwidth.

#include "kernels/cuda/cast.h"

#include <algorithm>

#include "kernels/cuda/element.h"
#include "kernels/cuda/traversal.h"
#include "kernels/simt/simt.h"

namespace xf::cuda {
namespace {

template <class From, class To>
struct Convert {
  View<const From> x;
  View<To> y;
  template <int N>
  __device__ __forceinline__ void run(int64_t row, int64_t column) const {
    store_floats(y.at(row, column), load_floats<N>(x.at(row, column)));
  }
};

}  // namespace

int cast(Extent extent, DType from, RowsIn x, DType to, RowsOut y, void* stream) {
  return for_element(from, [&]<class From>() {
    return for_element(to, [&]<class To>() {
      const Convert<From, To> body{view<From>(x), view<To>(y)};
      Traversal<std::min(kVector<From>, kVector<To>)> traversal(extent);
      return traversal.over(body.x).over(body.y).run(body, static_cast<cudaStream_t>(stream));
    });
  });
}

}  // namespace xf::cuda
