// Pools of cuDNN's layer calls.

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/standin/cudnn/layers.h"

using namespace xf::standin::cudnn;

namespace {

int64_t outputs(const cudnnPoolingStruct& p, size_t axis, int64_t in) {
  return 1 + (in + 2 * p.pad[axis] - p.window[axis]) / p.stride[axis];
}

// The input positions of one window along an axis.
struct Span {
  int64_t first, last;
  Span(const cudnnPoolingStruct& p, size_t axis, int64_t in, int64_t out) {
    const int64_t begin = out * p.stride[axis] - p.pad[axis];
    first = std::max<int64_t>(begin, 0);
    last = std::min(begin + p.window[axis], in);
  }
  [[nodiscard]] int64_t size() const { return last - first; }
};

// Calls f(index in y, indices in x, divisor of an average) for every window and channel.
template <class F>
void for_windows(const cudnnPoolingStruct& p, const Operand& x, const Operand& y, F f) {
  for (int64_t n = 0; n < y.images(); ++n)
    for (int64_t i = 0; i < y.height(); ++i)
      for (int64_t j = 0; j < y.width(); ++j)
        for (int64_t c = 0; c < y.channels(); ++c) {
          const Span h(p, 0, x.height(), i), w(p, 1, x.width(), j);
          std::vector<size_t> in;
          for (int64_t a = h.first; a < h.last; ++a)
            for (int64_t b = w.first; b < w.last; ++b) in.push_back(static_cast<size_t>(x.index(n, a, b, c)));
          const bool counts_padding = p.mode == CUDNN_POOLING_AVERAGE_COUNT_INCLUDE_PADDING;
          const int64_t divisor = counts_padding ? p.window[0] * p.window[1] : h.size() * w.size();
          f(static_cast<size_t>(y.index(n, i, j, c)), in, static_cast<double>(divisor));
        }
}

bool is_max(const cudnnPoolingStruct& p) {
  return p.mode == CUDNN_POOLING_MAX || p.mode == CUDNN_POOLING_MAX_DETERMINISTIC;
}

size_t highest(const cudnnPoolingStruct& p, const std::vector<double>& x, const std::vector<size_t>& among) {
  size_t best = among.front();
  for (const size_t i : among) {
    const bool over_nan = std::isnan(x[best]) && !p.nan_wins;
    if (x[i] > x[best] || over_nan || (std::isnan(x[i]) && p.nan_wins && !std::isnan(x[best]))) best = i;
  }
  return best;
}

void check_fit(const cudnnPoolingStruct& p, const Operand& x, const Operand& y) {
  require(x.images() == y.images() && x.channels() == y.channels() &&
              y.height() == outputs(p, 0, x.height()) && y.width() == outputs(p, 1, x.width()),
          "pooling: y has another shape than the windows over x");
}

}  // namespace

extern "C" {

cudnnStatus_t cudnnCreatePoolingDescriptor(cudnnPoolingDescriptor_t* d) {
  *d = descriptors<cudnnPoolingStruct>().make();
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnDestroyPoolingDescriptor(cudnnPoolingDescriptor_t d) {
  return guarded([&] { descriptors<cudnnPoolingStruct>().destroy(d); });
}
cudnnStatus_t cudnnSetPooling2dDescriptor(cudnnPoolingDescriptor_t d, cudnnPoolingMode_t mode,
                                          cudnnNanPropagation_t nan, int window_h, int window_w, int pad_h,
                                          int pad_w, int stride_h, int stride_w) {
  return guarded([&] {
    require(window_h > 0 && window_w > 0 && stride_h > 0 && stride_w > 0 && pad_h >= 0 && pad_w >= 0 &&
                pad_h < window_h && pad_w < window_w,
            "pooling: sizes of the window");
    *d = {true, mode, nan == CUDNN_PROPAGATE_NAN, {window_h, window_w}, {pad_h, pad_w}, {stride_h, stride_w}};
  });
}
cudnnStatus_t cudnnGetPooling2dForwardOutputDim(cudnnPoolingDescriptor_t pooling,
                                                cudnnTensorDescriptor_t x_descriptor, int* n, int* c, int* h,
                                                int* w) {
  return guarded([&] {
    const cudnnPoolingStruct& p = descriptors<cudnnPoolingStruct>().at(pooling);
    const auto& dims = descriptors<cudnnTensorStruct>().at(x_descriptor).dims;
    *n = static_cast<int>(dims[0]);
    *c = static_cast<int>(dims[1]);
    *h = static_cast<int>(outputs(p, 0, dims[2]));
    *w = static_cast<int>(outputs(p, 1, dims[3]));
  });
}

cudnnStatus_t cudnnPoolingForward(cudnnHandle_t handle, cudnnPoolingDescriptor_t pooling, const void* alpha,
                                  cudnnTensorDescriptor_t x_descriptor, const void* x_memory,
                                  const void* beta, cudnnTensorDescriptor_t y_descriptor, void* y_memory) {
  return guarded([&] {
    const cudnnPoolingStruct p = descriptors<cudnnPoolingStruct>().at(pooling);
    const Operand x("x", x_descriptor, x_memory), y("y", y_descriptor, y_memory);
    const Blend blend(alpha, beta);
    check_fit(p, x, y);
    queue(handle, {x}, {y}, InPlace::no, [=] {
      const std::vector<double> in = x.read();
      std::vector<double> out(static_cast<size_t>(y.count()));
      for_windows(p, x, y, [&](size_t at, const std::vector<size_t>& window, double divisor) {
        if (is_max(p)) {
          out[at] = in[highest(p, in, window)];
          return;
        }
        for (const size_t i : window) out[at] += in[i] / divisor;
      });
      write(y, std::move(out), blend);
    });
  });
}

cudnnStatus_t cudnnPoolingBackward(cudnnHandle_t handle, cudnnPoolingDescriptor_t pooling, const void* alpha,
                                   cudnnTensorDescriptor_t y_descriptor, const void* y_memory,
                                   cudnnTensorDescriptor_t dy_descriptor, const void* dy_memory,
                                   cudnnTensorDescriptor_t x_descriptor, const void* x_memory,
                                   const void* beta, cudnnTensorDescriptor_t dx_descriptor, void* dx_memory) {
  return guarded([&] {
    const cudnnPoolingStruct p = descriptors<cudnnPoolingStruct>().at(pooling);
    const Operand y("y", y_descriptor, y_memory), dy("dy", dy_descriptor, dy_memory),
        x("x", x_descriptor, x_memory), dx("dx", dx_descriptor, dx_memory);
    const Blend blend(alpha, beta);
    check_fit(p, x, y);
    require(dy.like(y) && dx.like(x), "pooling: a gradient has another shape or type");
    queue(handle, {y, dy, x}, {dx}, InPlace::no, [=] {
      const std::vector<double> in = x.read(), from = dy.read();
      std::vector<double> out(in.size());
      for_windows(p, x, y, [&](size_t at, const std::vector<size_t>& window, double divisor) {
        if (is_max(p)) {
          out[highest(p, in, window)] += from[at];
          return;
        }
        for (const size_t i : window) out[i] += from[at] / divisor;
      });
      write(dx, std::move(out), blend);
    });
  });
}

}  // extern "C"
