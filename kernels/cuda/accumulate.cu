// Gradients summed over the micro-batches of a step: one pass, 8 bytes an element in the first micro-batch
// (the old sum is not read) and 12 afterwards. The bound is the memory's bandwidth.
//
// One launch takes many tensors: their table is a parameter of the kernel, within the 4 KiB that every
// toolkit allows, so nothing has to be copied to the device first and a captured launch keeps it. Each block
// takes one chunk of one tensor, which it finds in the table.

#include "kernels/cuda/accumulate.h"

#include "kernels/cuda/element.h"
#include "kernels/cuda/traversal.h"
#include "kernels/simt/simt.h"

namespace xf::cuda {
namespace {

constexpr int kThreads = 256, kTensors = 112;
constexpr int64_t kChunk = 4096;  // elements: four vectors a thread

struct Table {
  const StepParams* step = nullptr;
  int count = 0;
  unsigned first_block[kTensors];
  AccumulateTensor tensor[kTensors];
};
static_assert(sizeof(Table) <= 4096);

struct AddGradient {
  const float* sum;  // none: the first micro-batch
  const float* gradient;
  float* result;
  template <int N>
  __device__ __forceinline__ void run(int64_t /*row*/, int64_t i) const {
    Floats<N> value = load_floats<N>(gradient + i);
    if (sum != nullptr) {
      const Floats<N> before = load_floats<N>(sum + i);
      for (int j = 0; j < N; ++j) value.v[j] += before.v[j];
    }
    store_floats(result + i, value);
  }
};

__device__ bool on_vectors(const AccumulateTensor& t) {
  return (reinterpret_cast<uintptr_t>(t.sum) | reinterpret_cast<uintptr_t>(t.gradient) |
          reinterpret_cast<uintptr_t>(t.result)) %
             16 ==
         0;
}

__global__ void __launch_bounds__(kThreads) add_gradients(Table table) {
  int at = 0;  // the last tensor that begins with this block or before it
  for (int above = table.count; above - at > 1;) {
    const int middle = (at + above) / 2;
    if (table.first_block[middle] <= blockIdx.x)
      at = middle;
    else
      above = middle;
  }
  const AccumulateTensor t = table.tensor[at];
  const bool first = simt::load<int32_t>(&table.step->micro_batch) == 0;
  const AddGradient body{first ? nullptr : t.sum, t.gradient, t.result};
  const int64_t begin = int64_t{blockIdx.x - table.first_block[at]} * kChunk;
  const int64_t end = begin + kChunk < t.count ? begin + kChunk : t.count;
  constexpr int kWide = kVector<float>;
  if (on_vectors(t))
    sweep<kWide>(body, 0, begin + threadIdx.x * kWide, end, kThreads * kWide);
  else
    sweep<1>(body, 0, begin + threadIdx.x, end, kThreads);
}

}  // namespace

int accumulate(const StepParams* step, std::span<const AccumulateTensor> tensors, void* stream) {
  Table table;
  table.step = step;
  unsigned blocks = 0;
  const auto flush = [&] {
    if (table.count == 0) return cudaSuccess;
    const cudaError_t status = simt::launch(&add_gradients, dim3(blocks), dim3(kThreads), 0,
                                            static_cast<cudaStream_t>(stream), table);
    table.count = 0;
    blocks = 0;
    return status;
  };
  for (const AccumulateTensor& t : tensors) {
    if (t.result == nullptr) continue;
    if (table.count == kTensors)
      if (const cudaError_t status = flush(); status != cudaSuccess) return status;
    table.tensor[table.count] = t;
    table.first_block[table.count++] = blocks;
    blocks += static_cast<unsigned>((t.count + kChunk - 1) / kChunk);
  }
  return flush();
}

}  // namespace xf::cuda
