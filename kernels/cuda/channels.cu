// Channels copied from one tensor to another: one pass, 2e bytes for an element of e bytes. The bound is the
// memory's bandwidth.

#include "kernels/cuda/channels.h"

#include "kernels/cuda/element.h"
#include "kernels/cuda/traversal.h"
#include "kernels/simt/simt.h"

namespace xf::cuda {
namespace {

template <class T>
struct Copy {
  View<const T> x;
  View<T> y;
  template <int N>
  __device__ __forceinline__ void run(int64_t row, int64_t column) const {
    simt::store(y.at(row, column), simt::load<simt::Pack<T, N>>(x.at(row, column)));
  }
};

template <class T>
cudaError_t copy_elements(Extent extent, const RowsIn& x, const RowsOut& y, void* stream) {
  const Copy<T> body{view<T>(x), view<T>(y)};
  Traversal<kVector<T>> traversal(extent);
  return traversal.over(body.x).over(body.y).run(body, static_cast<cudaStream_t>(stream));
}

}  // namespace

int copy_channels(Extent extent, size_t element, RowsIn x, RowsOut y, void* stream) {
  switch (element) {
    case 1: return copy_elements<uint8_t>(extent, x, y, stream);
    case 2: return copy_elements<uint16_t>(extent, x, y, stream);
    default: return copy_elements<uint32_t>(extent, x, y, stream);
  }
}

}  // namespace xf::cuda
