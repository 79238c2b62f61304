#pragma once
// An operation's differentiation rule: one overload each, in engine/graph/ops/. `y` is the operation's first
// output, `dy` the gradient that arrives there. Operations without a rule are not listed.

#include "engine/graph/graph.h"

namespace xf {

/// Receives the gradients of an operation's inputs.
class GradSink {
 public:
  GradSink(const Node& node, const std::vector<char>& needed);
  /// Whether anything asks for the gradient of input `index`; what nobody asks for need not be recorded.
  [[nodiscard]] bool need(size_t index) const;
  void add(size_t index, Value gradient) { found_[index] = gradient; }
  [[nodiscard]] const std::vector<Value>& found() const { return found_; }

 private:
  const Node& node_;
  const std::vector<char>& needed_;
  std::vector<Value> found_;
};

void grad(Graph& g, Value y, const Cast& op, Value dy, GradSink& out);
void grad(Graph& g, Value y, const Conv2d& op, Value dy, GradSink& out);
void grad(Graph& g, Value y, const BnAct& op, Value dy, GradSink& out);
void grad(Graph& g, Value y, const Pool& op, Value dy, GradSink& out);
void grad(Graph& g, Value y, const GlobalAvgPool& op, Value dy, GradSink& out);
void grad(Graph& g, Value y, const Dense& op, Value dy, GradSink& out);
void grad(Graph& g, Value y, const Bias& op, Value dy, GradSink& out);
void grad(Graph& g, Value y, const Act& op, Value dy, GradSink& out);
void grad(Graph& g, Value y, const Add& op, Value dy, GradSink& out);
void grad(Graph& g, Value y, const Concat& op, Value dy, GradSink& out);
void grad(Graph& g, Value y, const Dropout& op, Value dy, GradSink& out);
void grad(Graph& g, Value y, const SoftmaxXent& op, Value dy, GradSink& out);

}  // namespace xf
