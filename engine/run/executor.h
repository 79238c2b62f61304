#pragma once
// Replays a plan: kernels in order on fixed addresses. A step allocates nothing and looks nothing up, and on
// a device that works by itself it waits for nothing: inputs and results travel while the device computes.

#include <array>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/core/tensor.h"
#include "engine/graph/ops.h"
#include "engine/plan/compile.h"
#include "engine/run/backend.h"
#include "engine/run/param_store.h"

namespace xf {

/// The activation memory that all plans of a model take turns in: as large as the largest of them needs.
class ActivationMemory {
 public:
  explicit ActivationMemory(Backend& backend) : backend_(backend) {}
  void require(size_t bytes);
  /// The memory, reserved when first asked for. Grows (and moves) when a larger plan joined since.
  std::byte* data();

 private:
  Backend& backend_;
  size_t required_ = 0;
  Buffer buffer_;
};

/// Hears about every kernel that runs: for profiles.
class StepObserver {
 public:
  virtual ~StepObserver() = default;
  virtual void before(const PlanStep& step, const Node& node) = 0;
  virtual void after(const PlanStep& step, const Node& node) = 0;
};

class Executor {
 public:
  /// Binds a plan to the memory of a model. `prefix`: tensors that the store also holds under prefix + name
  /// are taken from there ("ema/"). The store must hold every parameter and state of the plan.
  Executor(Plan plan, Backend& backend, ParamStore& store, ActivationMemory& memory,
           const std::string& prefix = {});

  /// What the next run reads: written to the device when it starts.
  [[nodiscard]] StepParams& params() { return params_; }
  /// Copies an input; the next run reads it. Throws ShapeError when the tensor is not what the graph
  /// declared.
  void write(const std::string& input, const Tensor& value);
  /// Runs what depends on the weights alone, for plans with Weights::fixed; call after each change of
  /// weights.
  void refresh();
  /// One micro-batch: forward and backward.
  void run_batch();
  /// The optimizer.
  void run_update();
  /// The value that was the index-th of compile()'s `keep`, as the last run left it. Waits for the run.
  [[nodiscard]] Tensor fetch(size_t index);
  /// Sends that value to the host without waiting. Two may be on their way at a time.
  void send(size_t index);
  /// Waits for the oldest send(index) that was not received yet.
  [[nodiscard]] Tensor receive(size_t index);

  void observe(StepObserver* observer) { observer_ = observer; }
  [[nodiscard]] const Plan& plan() const { return plan_; }

 private:
  struct Bound {
    const PlanStep* step;
    std::vector<Ref> operands;
    Scratch scratch;
  };
  void bind();
  [[nodiscard]] Ref ref(Value v, std::byte* arena) const;
  void fill_constants();
  void write(Value input, const std::byte* host);
  void run(Phase phase);
  void run_kernels(Phase phase);
  [[nodiscard]] Readback& readback(size_t index);

  Plan plan_;
  Backend& backend_;
  ParamStore& store_;
  ActivationMemory& memory_;
  std::string prefix_;
  Buffer fixed_;
  std::byte* bound_to_ = nullptr;
  std::vector<Bound> steps_;
  std::map<Value, std::unique_ptr<Feed>> feeds_;
  std::map<size_t, std::unique_ptr<Readback>> readbacks_;
  /// By Phase: what a run queues, recorded at its second time; and how often it ran.
  std::array<std::unique_ptr<Recording>, 3> recordings_;
  std::array<int, 3> runs_{};
  StepParams params_;
  StepObserver* observer_ = nullptr;
};

}  // namespace xf
