// Softmax, its cross-entropy, and the gradient of that.
//
// A block takes an image: it reads the row of logits three times, for the largest, for the sums, and to write
// the probabilities; but for the first these reads find it in the first-level cache. So 8 bytes move a logit,
// and as many in the backward pass. The loss takes a second launch of one block, which adds the images'
// losses and hits in a fixed order. The backward pass needs the sum of the images' weights, which each block
// adds for itself: in the same order everywhere, and sooner than a launch.
//
// There are a few thousand numbers, a million at most (1000 images of 1000 classes, 4 MB): the bound is the
// latency of the launches and barriers, not bandwidth. Threads therefore take single numbers, side by side,
// whatever the alignment of a row.

#include "kernels/cuda/softmax.h"

#include <algorithm>
#include <bit>

#include "kernels/cuda/block_reduce.h"
#include "kernels/simt/simt.h"

namespace xf::cuda {
namespace {

constexpr int kMostThreads = 256;
constexpr int kHits = 5;

// Threads for one image: four classes each, in whole warps.
unsigned threads_for(int64_t classes) {
  return static_cast<unsigned>(
      std::clamp<uint64_t>(std::bit_ceil(static_cast<uint64_t>(classes + 3) / 4), 32, kMostThreads));
}

dim3 one_block_an_image(int64_t images) { return {static_cast<unsigned>(images)}; }

// A NaN is never the largest, and reaches the results through the sum.
__device__ float largest_of(const float* x, int64_t classes) {
  float largest[1] = {-INFINITY};
  for (int64_t c = threadIdx.x; c < classes; c += blockDim.x)
    largest[0] = fmaxf(largest[0], simt::load<float>(x + c));
  block_reduce<Larger>(largest);
  return largest[0];
}

// p may be x: each thread writes where it alone reads.
__device__ void write_probabilities(const float* x, int64_t classes, float largest, float total, float* p) {
  for (int64_t c = threadIdx.x; c < classes; c += blockDim.x)
    simt::store(p + c, expf(simt::load<float>(x + c) - largest) / total);
}

__global__ void __launch_bounds__(kMostThreads) softmax_of_image(SoftmaxTensors t) {
  const float* x = t.logits + blockIdx.x * t.logits_stride;
  const float largest = largest_of(x, t.classes);
  float total[1] = {};
  for (int64_t c = threadIdx.x; c < t.classes; c += blockDim.x)
    total[0] += expf(simt::load<float>(x + c) - largest);
  block_reduce<Plus>(total);
  write_probabilities(x, t.classes, largest, total[0], t.probabilities + blockIdx.x * t.probabilities_stride);
}

// Also the image's loss, and how many classes are likelier than its label.
__global__ void __launch_bounds__(kMostThreads)
    loss_of_image(SoftmaxTensors t, XentTargets targets, float* losses, int32_t* likelier) {
  const float* x = t.logits + blockIdx.x * t.logits_stride;
  const int64_t label = simt::load<int32_t>(targets.labels + blockIdx.x);
  const float mine = simt::load<float>(x + label);
  const float largest = largest_of(x, t.classes);
  float sums[3] = {};  // of exponentials, of distances from the largest, of likelier classes
  for (int64_t c = threadIdx.x; c < t.classes; c += blockDim.x) {
    const float logit = simt::load<float>(x + c);
    sums[0] += expf(logit - largest);
    sums[1] += largest - logit;
    // Written so that a NaN is never a hit.
    if (!(logit <= mine) || (logit == mine && c < label)) sums[2] += 1;
  }
  block_reduce<Plus>(sums);
  if (t.probabilities != nullptr)
    write_probabilities(x, t.classes, largest, sums[0],
                        t.probabilities + blockIdx.x * t.probabilities_stride);
  if (threadIdx.x != 0) return;
  const float logarithm = logf(sums[0]), mean = sums[1] / static_cast<float>(t.classes);
  const float loss =
      (1 - targets.smoothing) * (logarithm + (largest - mine)) + targets.smoothing * (logarithm + mean);
  simt::store(losses + blockIdx.x, loss);
  simt::store(likelier + blockIdx.x, static_cast<int32_t>(sums[2]));
}

__device__ float weight_of(const XentTargets& t, int64_t image) {
  const float weight = simt::load<float>(t.image_weights + image);
  if (t.class_weights == nullptr) return weight;
  return weight * simt::load<float>(t.class_weights + simt::load<int32_t>(t.labels + image));
}

__global__ void __launch_bounds__(kMostThreads)
    reduce_images(int64_t images, XentTargets targets, const float* losses, const int32_t* likelier,
                  XentResults results) {
  float loss[2] = {};  // weighted losses, weights
  float hits[kHits] = {};
  for (int64_t i = threadIdx.x; i < images; i += blockDim.x) {
    const float weight = weight_of(targets, i), share = simt::load<float>(targets.image_weights + i);
    // An image that does not count may have any loss.
    if (weight != 0) loss[0] += weight * simt::load<float>(losses + i);
    loss[1] += weight;
    const int32_t rank = simt::load<int32_t>(likelier + i);
    for (int j = 0; j < kHits; ++j)
      if (rank <= j) hits[j] += share;
  }
  block_reduce<Plus>(loss);
  block_reduce<Plus>(hits);
  if (threadIdx.x != 0) return;
  if (results.loss != nullptr) simt::store(results.loss, loss[1] == 0 ? 0.0F : loss[0] / loss[1]);
  if (results.hits != nullptr)
    for (int j = 0; j < kHits; ++j) simt::store(results.hits + j, hits[j]);
}

__global__ void __launch_bounds__(kMostThreads) gradient_of_image(XentGradients t, XentTargets targets) {
  float total[1] = {};
  for (int64_t i = threadIdx.x; i < t.images; i += blockDim.x) total[0] += weight_of(targets, i);
  block_reduce<Plus>(total);
  const float weight = weight_of(targets, blockIdx.x);
  const float factor = total[0] == 0 ? 0 : simt::load<float>(t.dloss) * weight / total[0];
  const int64_t label = simt::load<int32_t>(targets.labels + blockIdx.x);
  const float elsewhere = targets.smoothing / static_cast<float>(t.classes);
  const float* p = t.probabilities + blockIdx.x * t.probabilities_stride;
  float* dlogits = t.dlogits + blockIdx.x * t.dlogits_stride;
  for (int64_t c = threadIdx.x; c < t.classes; c += blockDim.x) {
    const float target = (c == label ? 1 - targets.smoothing : 0) + elsewhere;
    // Nothing comes from an image that does not count, even where it has no numbers.
    simt::store(dlogits + c, factor == 0 ? 0.0F : factor * (simt::load<float>(p + c) - target));
  }
}

}  // namespace

int softmax(const SoftmaxTensors& t, void* stream) {
  return simt::launch(&softmax_of_image, one_block_an_image(t.images), dim3(threads_for(t.classes)), 0,
                      static_cast<cudaStream_t>(stream), t);
}

size_t softmax_xent_workspace(int64_t images) {
  return static_cast<size_t>(images) * (sizeof(float) + sizeof(int32_t));
}

int softmax_xent(const SoftmaxTensors& t, const XentTargets& targets, const XentResults& results,
                 void* workspace, void* stream) {
  auto* queue = static_cast<cudaStream_t>(stream);
  auto* likelier = static_cast<int32_t*>(workspace);
  float* losses = results.losses != nullptr ? results.losses : reinterpret_cast<float*>(likelier + t.images);
  const cudaError_t status =
      simt::launch(&loss_of_image, one_block_an_image(t.images), dim3(threads_for(t.classes)), 0, queue, t,
                   targets, losses, likelier);
  if (status != cudaSuccess || (results.loss == nullptr && results.hits == nullptr)) return status;
  return simt::launch(&reduce_images, dim3(1), dim3(threads_for(t.images)), 0, queue, t.images, targets,
                      losses, likelier, results);
}

int softmax_xent_bwd(const XentGradients& t, const XentTargets& targets, void* stream) {
  return simt::launch(&gradient_of_image, one_block_an_image(t.images), dim3(threads_for(t.classes)), 0,
                      static_cast<cudaStream_t>(stream), t, targets);
}

}  // namespace xf::cuda
