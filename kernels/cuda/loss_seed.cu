// What the gradient of a scaled loss begins with: one number from one number, on the device, so that a step
// whose scale has moved needs nothing from the host. The bound is the launch.
//
// occupancy: at least 1 %: a single thread, which has nothing to hide.

#include "kernels/cuda/loss_seed.h"

#include "kernels/simt/simt.h"

namespace xf::cuda {
namespace {

__global__ void __launch_bounds__(32) scale_seed(const float* loss_scale, float share, float* seed) {
  if (threadIdx.x == 0) simt::store(seed, simt::load<float>(loss_scale) * share);
}

}  // namespace

int loss_seed(const float* loss_scale, float share, float* seed, void* stream) {
  return simt::launch(&scale_seed, dim3(1), dim3(32), 0, static_cast<cudaStream_t>(stream), loss_scale, share,
                      seed);
}

}  // namespace xf::cuda
