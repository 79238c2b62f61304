#pragma once
// cuDNN's graph API behind plain structs: cudnn-frontend takes most of a minute to compile, and
// cudnn_plan.cpp alone includes it.

#include <cstddef>
#include <memory>
#include <string>

#include "kernels/cuda/conv_problem.h"

struct cudnnContext;

namespace xf::cuda {

/// Addresses on the device. `w` is dw of a weight gradient; residual and bias may be absent as in the
/// problem.
struct ConvOperands {
  void* x = nullptr;
  void* w = nullptr;
  void* y = nullptr;
  void* residual = nullptr;
  void* bias = nullptr;
};

/// What plans are for: the GPU of a handle, or one described in cuDNN's own JSON, on which nothing can run.
struct PlanTarget {
  cudnnContext* handle = nullptr;
  std::string description;
};

/// The engines of cuDNN that compute one problem as it asks, likeliest fastest first (its heuristics' order).
///
/// Left out are engines that give other bits at each run, that sum in less than f32, that take more than
/// `workspace_limit` bytes of temporary memory, or that cuDNN compiles when they are built: that takes about
/// a second each in every process, and only a machine with a driver has them; and for f32 with Math::f32
/// those that use tensor cores or round their inputs.
class ConvPlans {
 public:
  /// Throws UnavailableError with cuDNN's text and the problem where there is no engine.
  ConvPlans(const ConvProblem& problem, const PlanTarget& target, size_t workspace_limit);
  ~ConvPlans();
  ConvPlans(const ConvPlans&) = delete;
  ConvPlans& operator=(const ConvPlans&) = delete;

  [[nodiscard]] int count() const;
  /// cuDNN's number and settings of engine i, "eng46_k2=0_k24=3": enough to find it again.
  [[nodiscard]] const std::string& engine(int i) const;
  /// Makes engine i ready to run. False where cuDNN refuses it after all; its text is in refusal().
  bool build(int i);
  [[nodiscard]] const std::string& refusal() const;
  /// Temporary memory of engine i, which was built.
  [[nodiscard]] size_t workspace(int i) const;
  /// Queues engine i, which was built, on the handle's stream. Throws InternalError.
  void run(int i, const ConvOperands& operands, void* workspace) const;

 private:
  class Graph;
  std::unique_ptr<Graph> graph_;
};

}  // namespace xf::cuda
