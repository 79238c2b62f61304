#pragma once
// A network compiled for reading: classify, embed, look at named maps.

#include <memory>
#include <string>
#include <vector>

#include "engine/plan/compile.h"
#include "engine/run/executor.h"
#include "engine/train/network.h"

namespace xf {

struct InferenceOptions {
  int64_t batch = 16;
  Precision precision = Precision::f32;
  Weights weights = Weights::fixed;
  AllowReference allow_reference = AllowReference::no;
  InputKind input = InputKind::images;
  /// What to compute: "probabilities", or names of the graph's maps ("features", "mixed10",
  /// "logits": the class scores before softmax).
  std::vector<std::string> results{"probabilities"};
  std::string prefix;  ///< take tensors from PREFIX + name where the store has them ("ema/")
};

class Inference {
 public:
  /// Records, compiles and binds. Declares missing tensors in the store. Throws UsageError for an unknown
  /// result.
  Inference(const NetworkSpec& spec, const InferenceOptions& options, Backend& backend, ParamStore& store,
            ActivationMemory& memory);
  /// After the weights changed, for Weights::fixed.
  void refresh() { executor_->refresh(); }
  /// Runs on one batch: u8 (batch,h,w,3), or f32 for InputKind::tensor.
  void run(const Tensor& input);
  [[nodiscard]] size_t results() const { return results_; }
  /// The index-th of the results, f32, all rows of the batch.
  [[nodiscard]] Tensor result(size_t index) { return executor_->fetch(index); }
  void observe(StepObserver* observer) { executor_->observe(observer); }
  [[nodiscard]] const Plan& plan() const { return executor_->plan(); }
  [[nodiscard]] int64_t batch() const { return batch_; }

 private:
  int64_t batch_;
  size_t results_;
  std::string input_;
  std::unique_ptr<Executor> executor_;
};

/// The graph that Inference compiles, and its results in order.
struct InferenceGraph {
  std::unique_ptr<Graph> graph;
  std::vector<Value> keep;
};
InferenceGraph record_inference(const NetworkSpec& spec, const InferenceOptions& options);

}  // namespace xf
