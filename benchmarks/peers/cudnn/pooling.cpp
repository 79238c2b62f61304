// Pools over windows, and over whole images. cuDNN's maxima leave no positions behind: its gradient finds
// them again in x and y.

#include <fmt/format.h>

#include "benchmarks/peers/cudnn/layers.h"
#include "engine/core/error.h"

namespace xf::bench {
namespace {

struct Windows {
  cudnnPoolingMode_t mode;
  const char* name;
  int kernel_h, kernel_w, pad_h, pad_w, stride_h, stride_w;
};

Pooling pooling(const Windows& w) {
  cudnnPoolingDescriptor_t d = nullptr;
  check(cudnnCreatePoolingDescriptor(&d), "cudnnCreatePoolingDescriptor");
  Pooling made(d);
  check(cudnnSetPooling2dDescriptor(d, w.mode, CUDNN_PROPAGATE_NAN, w.kernel_h, w.kernel_w, w.pad_h, w.pad_w,
                                    w.stride_h, w.stride_w),
        "cudnnSetPooling2dDescriptor");
  return made;
}

class PoolLayer final : public Peer {
 public:
  PoolLayer(cudnnHandle_t handle, const Windows& windows, const Spec& x, const Shape& y)
      : handle_(handle),
        name_(windows.name),
        windows_(pooling(windows)),
        x_(tensor(x)),
        y_(tensor({y, x.dtype})) {
    int n = 0, c = 0, h = 0, w = 0;
    check(cudnnGetPooling2dForwardOutputDim(windows_.get(), x_.get(), &n, &c, &h, &w),
          "cudnnGetPooling2dForwardOutputDim");
    if (h != y.h || w != y.w)
      throw UnavailableError("cuDNN", "its pools have the same padding on both sides of the image");
  }

  [[nodiscard]] std::string impl() const override { return name_; }

  void forward(std::span<const Ref> operands) override {
    check(cudnnPoolingForward(handle_, windows_.get(), &kOne, x_.get(), operands[0].data, &kZero, y_.get(),
                              operands[1].data),
          "cudnnPoolingForward");
  }

  void backward(std::span<const Ref> operands, std::span<const Ref> gradient) override {
    check(cudnnPoolingBackward(handle_, windows_.get(), &kOne, y_.get(), operands[1].data, y_.get(),
                               gradient.front().data, x_.get(), operands[0].data, &kZero, x_.get(),
                               gradient.back().data),
          "cudnnPoolingBackward");
  }

 private:
  cudnnHandle_t handle_;
  std::string name_;
  Pooling windows_;
  Tensor x_, y_;
};

Windows windows_of(const Pool& p) {
  Windows w{CUDNN_POOLING_MAX, "cudnn:pool_max", p.kernel_h, p.kernel_w,
            p.pad.top,         p.pad.left,       p.stride_h, p.stride_w};
  if (p.kind == PoolKind::max) return w;
  w.name = "cudnn:pool_average";
  w.mode = CUDNN_POOLING_AVERAGE_COUNT_EXCLUDE_PADDING;
  if (p.count == CountPadding::no || p.pad == Padding{}) return w;
  w.mode = CUDNN_POOLING_AVERAGE_COUNT_INCLUDE_PADDING;
  if (p.pad.bottom != p.pad.top || p.pad.right != p.pad.left || p.ceil_extra_h + p.ceil_extra_w != 0)
    throw UnavailableError("cuDNN", "its averages count the same padding on both sides of the image");
  return w;
}

}  // namespace

std::unique_ptr<Peer> pool(cudnnHandle_t handle, const Pool& op, const Node& node) {
  return std::make_unique<PoolLayer>(handle, windows_of(op), node.inputs[0].spec(), node.outputs[0].shape);
}

std::unique_ptr<Peer> global_avg_pool(cudnnHandle_t handle, const Node& node) {
  const Spec& x = node.inputs[0].spec();
  const int h = static_cast<int>(x.shape.h), w = static_cast<int>(x.shape.w);
  const Windows image{CUDNN_POOLING_AVERAGE_COUNT_EXCLUDE_PADDING, "cudnn:pool_average", h, w, 0, 0, 1, 1};
  return std::make_unique<PoolLayer>(handle, image, x, node.outputs[0].shape);
}

}  // namespace xf::bench
