#pragma once
// How far Winograd's F(4x4, 3x3) in f32 may be from the sums it computes: kernels/cpu/winograd.h derives it.

#include "engine/graph/ops.h"
#include "tests/ops/reference/array.h"

namespace xf::test::winograd {

/// Whether a convolution and its gradients may be computed so. x: its input.
bool may_compute(const Conv2d& op, const Shape& x, const Shape& y);

/// Error bounds, one for each element: of the output, which has bias and residual besides; of the input's
/// gradient; of the weights'.
std::vector<double> output_error(const Conv2d& op, const Array& x, const Array& w, const Shape& y);
std::vector<double> input_gradient_error(const Conv2d& op, const Array& dy, const Array& w, const Shape& x);
std::vector<double> weight_gradient_error(const Conv2d& op, const Array& x, const Array& dy, const Shape& w);

}  // namespace xf::test::winograd
