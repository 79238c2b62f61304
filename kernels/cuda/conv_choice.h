#pragma once
// Which of cuDNN's engines runs a convolution.

#include "kernels/cuda/conv_problem.h"
#include "kernels/cuda/cudnn_plan.h"
#include "kernels/cuda/handles.h"

namespace xf::cuda {

/// The number of an engine of `plans`, built. With Determinism::fixed_threads it is the fastest of the first
/// few that the heuristics name, timed on the device once and remembered on disk. Else it is the first, so
/// that no timing decides which bits come out. Throws UnavailableError where none can be built.
int choose_engine(ConvPlans& plans, const ConvProblem& problem, Libraries& libraries,
                  Determinism determinism);

}  // namespace xf::cuda
