// Dropout: one pass, 2e bytes for an element of e bytes. A thread draws one group of four random words for
// each four elements, some 100 instructions: the bound is the memory's bandwidth. No mask is kept: the
// backward pass draws the same words again.

#include "kernels/cuda/dropout.h"

#include "kernels/cuda/element.h"
#include "kernels/cuda/philox.h"
#include "kernels/cuda/traversal.h"
#include "kernels/simt/simt.h"

namespace xf::cuda {
namespace {

// An index into the array itself would keep it in memory.
__device__ __forceinline__ uint32_t word(const Philox4& random, int index) {
  switch (index) {
    case 0: return random.v[0];
    case 1: return random.v[1];
    case 2: return random.v[2];
    default: return random.v[3];
  }
}

template <class T>
struct Drop {
  const StepParams* step;
  uint32_t stream;
  float rate;
  View<const T> x;
  View<T> y;
  int64_t per_image;
  // A flat traversal: the column is the element's number. Vectors begin on a multiple of four.
  template <int N>
  __device__ __forceinline__ void run(int64_t row, int64_t column) const {
    const StepRandom random = step_random(step, stream);
    const int64_t first = column + simt::load<int64_t>(&step->first_image) * per_image;
    const int shift = static_cast<int>(first % 4);  // 0 for vectors, but for odd shares of odd images
    Floats<N> value = load_floats<N>(x.at(row, column));
    for (int j = 0; j < N; j += 4) {
      const Philox4 four = random.group(first / 4 + j / 4);
      const Philox4 next = N > 1 && shift != 0 ? random.group(first / 4 + j / 4 + 1) : four;
      for (int k = j; k < N && k < j + 4; ++k) {
        const int at = shift + k - j;
        const uint32_t bits = at < 4 ? word(four, at) : word(next, at - 4);
        value.v[k] = unit_float(bits) >= rate ? value.v[k] / (1.0F - rate) : 0;
      }
    }
    store_floats(y.at(row, column), value);
  }
};

}  // namespace

int dropout(const DropoutTensors& t, const Dropout& op, void* stream) {
  return for_element(t.dtype, [&]<class T>() {
    const Drop<T> body{
        t.step,     op.stream, op.rate, view<T>(RowsIn{t.x, t.count}), view<T>(RowsOut{t.y, t.count}),
        t.per_image};
    Traversal<kVector<T>> traversal(Extent{1, t.count});
    return traversal.over(body.x).over(body.y).run(body, static_cast<cudaStream_t>(stream));
  });
}

}  // namespace xf::cuda
