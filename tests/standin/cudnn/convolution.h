#pragma once
// Convolutions in two spatial dimensions, forward and both backward, by their definition.

#include <array>
#include <cstdint>
#include <vector>

#include "tests/standin/cudnn/descriptor.h"
#include "tests/standin/cudnn/tensor.h"
#include "tests/standin/cudnn/values.h"

namespace xf::standin::cudnn {

/// What a convolution descriptor must satisfy by itself. Throws Failure.
void check_convolution_descriptor(const Descriptor& d);

/// y = conv(x, w), or the gradient of that with respect to x or w. Channels are not grouped.
class Convolution {
 public:
  enum class Kind { forward, backward_data, backward_filter };

  /// From an operation's descriptor. Throws Failure when tensors or sizes do not fit each other.
  explicit Convolution(const Descriptor& d);

  [[nodiscard]] std::vector<const Tensor*> inputs() const;
  [[nodiscard]] const Tensor& output() const;
  [[nodiscard]] const Tensor& filter() const { return w_; }
  [[nodiscard]] std::vector<double> run(const Values& values, Arithmetic arithmetic) const;

 private:
  void check_sizes() const;
  template <class F>
  void for_products(F f) const;

  Kind kind_;
  Tensor x_, w_, y_;
  std::array<int64_t, 2> pre_{}, post_{}, stride_{}, dilation_{};
  bool flipped_;  // cuDNN's "convolution"; what networks use is its cross-correlation
  double alpha_;
};

}  // namespace xf::standin::cudnn
