// Images as decoded into the numbers that a network takes: one pass, c e + c' e' bytes a pixel of c channels
// that becomes one of c'; from three bytes to eight channels of bf16, 19. The bound is the memory's
// bandwidth.

#include "kernels/cuda/normalize.h"

#include <algorithm>

#include "kernels/cuda/element.h"
#include "kernels/simt/simt.h"

namespace xf::cuda {
namespace {

constexpr int kThreads = 256, kMostChannels = 4;
constexpr int kPixels = 512;  // of one block; a multiple of every vector, so that each block begins on one

__device__ __forceinline__ float to_float(uint8_t x) { return static_cast<float>(x); }
using cuda::to_float;

struct Scaling {
  ChannelOrder order;
  int channels_in, channels_out;
  float scale[kMostChannels], shift[kMostChannels];
};

// In is the number of elements that a thread loads at once, Out the number that it stores.
template <class From, class To, int In, int Out>
__global__ void __launch_bounds__(kThreads)
    normalize_pixels(const From* x, To* y, int64_t pixels, Scaling s) {
  using Loaded = simt::Pack<From, In>;
  SIMT_SHARED(Loaded, loaded, [kPixels * kMostChannels / In]);
  SIMT_SHARED(float, scale, [kMostChannels]);
  SIMT_SHARED(float, shift, [kMostChannels]);
  const int64_t first = int64_t{blockIdx.x} * kPixels;
  const int count = static_cast<int>(first + kPixels < pixels ? kPixels : pixels - first);
  const int thread = static_cast<int>(threadIdx.x);

  x += first * s.channels_in;
  auto* numbers = reinterpret_cast<From*>(static_cast<Loaded*>(loaded));
  const int in = count * s.channels_in;
  for (int i = thread * In; i < in; i += kThreads * In) {
    if (i + In <= in) {
      loaded[i / In] = simt::load<Loaded>(x + i);
    } else {
      for (int rest = i; rest < in; ++rest) numbers[rest] = simt::load<From>(x + rest);
    }
  }
  if (thread == 0) {  // one thread: an index that varies would make every thread copy the parameters
    for (int c = 0; c < kMostChannels; ++c) {
      scale[c] = s.scale[c];
      shift[c] = s.shift[c];
    }
  }
  __syncthreads();

  y += first * s.channels_out;
  const int out = count * s.channels_out;
  for (int i = thread * Out; i < out; i += kThreads * Out) {
    int pixel = i / s.channels_out, c = i % s.channels_out;
    simt::Pack<To, Out> made;
    for (int j = 0; j < Out; ++j) {
      float value = 0;
      if (c < s.channels_in && pixel < count) {
        const int source = s.order == ChannelOrder::bgr ? s.channels_in - 1 - c : c;
        value = to_float(numbers[pixel * s.channels_in + source]) * scale[c] + shift[c];
      }
      made.v[j] = from_float<To>(value);
      if (++c == s.channels_out) {
        c = 0;
        ++pixel;
      }
    }
    if (i + Out <= out) {
      simt::store(y + i, made);
    } else {
      for (int j = 0; j < Out; ++j)
        if (i + j < out) simt::store(y + i + j, made.v[j]);
    }
  }
}

template <class From, class To, int In, int Out>
cudaError_t launch(const NormalizeTensors& t, const Scaling& s, cudaStream_t stream) {
  const auto blocks = static_cast<unsigned>((t.pixels + kPixels - 1) / kPixels);
  return simt::launch(&normalize_pixels<From, To, In, Out>, dim3(blocks), dim3(kThreads), 0, stream,
                      static_cast<const From*>(t.x), static_cast<To*>(t.y), t.pixels, s);
}

template <class From>
cudaError_t normalize_from(const NormalizeTensors& t, DType to, const Scaling& s, cudaStream_t stream) {
  const bool aligned = (reinterpret_cast<uintptr_t>(t.x) | reinterpret_cast<uintptr_t>(t.y)) % 16 == 0;
  return for_element(to, [&]<class To>() {
    return aligned ? launch<From, To, kVector<From>, kVector<To>>(t, s, stream)
                   : launch<From, To, 1, 1>(t, s, stream);
  });
}

}  // namespace

int normalize(const NormalizeTensors& t, const Normalize& op, void* stream) {
  Scaling s{op.order, t.channels, op.channels, {}, {}};
  std::copy(op.scale.begin(), op.scale.end(), s.scale);
  std::copy(op.shift.begin(), op.shift.end(), s.shift);
  auto* queue = static_cast<cudaStream_t>(stream);
  return t.from == DType::u8 ? normalize_from<uint8_t>(t, op.to, s, queue)
                             : normalize_from<float>(t, op.to, s, queue);
}

}  // namespace xf::cuda
