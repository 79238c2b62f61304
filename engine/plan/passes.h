#pragma once
// The passes of compile(), each in the file of its name.

#include "engine/plan/compile.h"
#include "engine/plan/program.h"

namespace xf {

/// Replaces a convolution whose only reader is a batch normalisation on running statistics by the one
/// convolution that equals both (FoldBn computes its weights), with the activation and the residual in its
/// epilogue. A convolution or statistics that somebody else needs stay as they are.
Program fold(const Program& program);

/// Moves Bias, Act and the Add of one residual behind a convolution or dense layer into its epilogue, where
/// nobody else reads what lies between.
Program fuse(const Program& program);

/// Chooses the type of every value. bf16 (or f16): activations and their gradients between the input and the
/// global average pool, and the operands of convolutions; statistics, logits, losses, parameters and their
/// gradients stay f32. f32: nothing changes.
Program lower_precision(const Program& program, Precision precision);

/// For a training on several ranks: what the update reads of each rank's images, and what batch normalisation
/// saw of them, becomes the mean over the ranks. It travels in buckets of kBucketBytes, each from where the
/// backward pass made the last of it to the update.
Program reduce(const Program& program);

/// All but the last, in their order: what compile() makes of a graph before it knows a device.
Program rewrite(const Graph& graph, std::span<const Value> keep, Precision precision);

}  // namespace xf
