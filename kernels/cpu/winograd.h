#pragma once
// Convolutions with 3x3 windows of stride 1 by Winograd's F(4x4, 3x3): a quarter of the multiplications of
// the direct sum, for transforms of what goes in and out.
//
// Error. Let u = 2^-24, and |M| be M with its elements' magnitudes. With the matrices A, B, G of
// winograd_transforms.h, a result is Aᵀ [Σ (G w Gᵀ) ⊙ (Bᵀ x B)] A, summed over n channels (or, in the weight
// gradient, Gᵀ [Σ (A dy Aᵀ) ⊙ (Bᵀ x B)] G over n tiles). Every number in it passes through at most n + 20
// roundings: n in the sum, and in each of their two dimensions at most two in Bᵀ, four in G with its rounded
// constants and three in Aᵀ (two in Bᵀ, two in A and five in Gᵀ); bias and residual add one each. So the
// error of a result is at most (n + 20) u times the same formula over magnitudes,
//   |Aᵀ| [Σ (|G| |w| |Gᵀ|) ⊙ (|Bᵀ| |x| |B|)] |A|
// (Barabasz, Anderson, Soodhalter & Gregg 2020, "Error analysis and improving the accuracy of Winograd
// convolution for deep neural networks", ACM TOMS 46(4)), which is what the op suite allows. For
// normally distributed numbers that is on average 80 times the magnitudes of the direct sum; between the
// networks' layers, results differ from direct ones by up to 1e-4 of their root mean square. A result that is
// not finite takes the others of its 4x4 tile with it.

#include <memory>

#include "engine/run/backend.h"

namespace xf::cpu::winograd {

/// What can be computed so: f32, windows of 3x3, stride 1, up to two rows and columns of padding on a side,
/// channels in multiples of 16, on a processor with AVX2 or AVX-512.
bool can_compute(const Conv2d& op, const Shape& x, const Shape& y, DType type);

/// Kernels of nodes that can_compute() allows. Activations may be slices of wider tensors. The same bits on
/// any number of threads.
std::unique_ptr<Kernel> forward(const Conv2d& op, const Node& node);
std::unique_ptr<Kernel> data_gradient(const ConvBwdData& op, const Node& node);
std::unique_ptr<Kernel> weight_gradient(const ConvBwdWeights& op, const Node& node);

}  // namespace xf::cpu::winograd
