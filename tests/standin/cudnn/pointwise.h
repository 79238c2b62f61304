#pragma once
// Elementwise operations with broadcast operands: what follows a convolution in one graph.

#include <optional>
#include <vector>

#include "tests/standin/cudnn/descriptor.h"
#include "tests/standin/cudnn/tensor.h"
#include "tests/standin/cudnn/values.h"

namespace xf::standin::cudnn {

/// ADD, SUB, MUL, IDENTITY, RELU_FWD and RELU_BWD.
class Pointwise {
 public:
  /// From an operation's descriptor. Throws Failure when tensors do not fit each other.
  explicit Pointwise(const Descriptor& d);

  [[nodiscard]] std::vector<const Tensor*> inputs() const;
  [[nodiscard]] const Tensor& output() const { return out_; }
  [[nodiscard]] std::vector<double> run(const Values& values) const;

 private:
  [[nodiscard]] double apply(double x, double other) const;

  cudnnPointwiseMode_t mode_;
  Tensor x_, out_;               // RELU_BWD: x, and the gradient with respect to it
  std::optional<Tensor> other_;  // the second operand; RELU_BWD: the gradient with respect to y
  double x_scale_, other_scale_, lower_, upper_, slope_;
};

}  // namespace xf::standin::cudnn
