#pragma once
// Softmax and its cross-entropy, forward and backward. All numbers are f32; all pointers device memory.

#include <cstddef>
#include <cstdint>

namespace xf::cuda {

/// Rows of `classes` numbers, one an image, that begin the strides apart.
struct SoftmaxTensors {
  int64_t images = 0, classes = 0;
  const float* logits = nullptr;
  int64_t logits_stride = 0;
  float* probabilities = nullptr;  ///< may be the logits
  int64_t probabilities_stride = 0;
};

/// One label and weight an image. Labels are classes, 0 … classes - 1.
struct XentTargets {
  const int32_t* labels = nullptr;
  const float* image_weights = nullptr;
  const float* class_weights = nullptr;  ///< one a class; none: 1
  float smoothing = 0;
};

/// As SoftmaxXent in engine/graph/ops.h defines them; each may be absent.
struct XentResults {
  float* loss = nullptr;
  float* hits = nullptr;    ///< five numbers
  float* losses = nullptr;  ///< one an image
};

struct XentGradients {
  int64_t images = 0, classes = 0;
  const float* dloss = nullptr;  ///< one number
  const float* probabilities = nullptr;
  int64_t probabilities_stride = 0;
  float* dlogits = nullptr;  ///< may be the probabilities
  int64_t dlogits_stride = 0;
};

// Each queues its work on `stream` (a cudaStream_t) and returns the first cudaError_t that is not 0. The bits
// of the results depend on shapes alone.

int softmax(const SoftmaxTensors& t, void* stream);

/// Bytes of temporary memory that softmax_xent() takes.
size_t softmax_xent_workspace(int64_t images);

/// Losses and hits; the probabilities may be absent.
int softmax_xent(const SoftmaxTensors& t, const XentTargets& targets, const XentResults& results,
                 void* workspace, void* stream);

int softmax_xent_bwd(const XentGradients& t, const XentTargets& targets, void* stream);

}  // namespace xf::cuda
