#pragma once
// A recorded computation: nodes in topological order, joined by symbolic values. Nothing is computed here.

#include <deque>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/dtype.h"
#include "engine/core/shape.h"
#include "engine/graph/ops.h"

namespace xf {

class Graph;
struct Node;

/// What a value is, before anything is computed.
struct Spec {
  Shape shape;
  DType dtype = DType::f32;
  [[nodiscard]] size_t bytes() const { return static_cast<size_t>(shape.count()) * size_of(dtype); }
  friend bool operator==(const Spec&, const Spec&) = default;
};

/// A symbolic edge: one output of one node. An empty Value stands for an absent optional operand.
class Value {
 public:
  Value() = default;
  Value(Graph* graph, int node, int output) : graph_(graph), node_(node), output_(output) {}
  [[nodiscard]] explicit operator bool() const { return graph_ != nullptr; }
  [[nodiscard]] Graph& graph() const { return *graph_; }
  [[nodiscard]] int node() const { return node_; }
  [[nodiscard]] int output() const { return output_; }
  [[nodiscard]] const Spec& spec() const;
  [[nodiscard]] const Shape& shape() const { return spec().shape; }
  friend bool operator==(const Value& a, const Value& b) {
    return a.node_ == b.node_ && a.output_ == b.output_;
  }
  friend auto operator<=>(const Value& a, const Value& b) {
    return std::pair(a.node_, a.output_) <=> std::pair(b.node_, b.output_);
  }

 private:
  Graph* graph_ = nullptr;
  int node_ = -1, output_ = 0;
};

/// What a node without an operation stands for. param: trained; state: carried from step to step, not
/// trained; step: the StepParams slot; constant: every element is `fill`.
enum class Source : uint8_t { none, input, param, state, step, constant };

/// How a parameter or state starts.
enum class InitKind : uint8_t { constant, he_normal, glorot_uniform };
struct Init {
  InitKind kind = InitKind::constant;
  float value = 0;  ///< of constant
  int64_t fan_in = 1, fan_out = 1;
};

struct Node {
  OpAttributes op = std::monostate{};
  Source source = Source::none;
  std::string name;  ///< sources: the tensor's name; operations: the scope they were recorded in
  std::vector<Value> inputs;
  std::vector<Spec> outputs;
  Init init;               ///< param, state and constant
  bool trainable = false;  ///< param: false once frozen
  template <class A>
  [[nodiscard]] const A* as() const {
    return std::get_if<A>(&op);
  }
};

/// `state` takes the value `value` at the end of a step.
struct Update {
  Value state, value;
};

class Graph {
 public:
  Graph() = default;
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  Value input(std::string name, Spec spec);
  /// The StepParams slot; one a graph.
  Value step();
  Value constant(Spec spec, float fill);
  /// A trained tensor (f32). Throws InternalError when the name is taken.
  Value param(std::string name, Shape shape, Init init);
  /// A tensor carried from step to step (f32).
  Value state(std::string name, Shape shape, Init init);

  /// Records an operation and infers its outputs' specs; returns its first output. Throws ShapeError naming
  /// the scope, the operation and the shapes.
  Value add(OpAttributes op, std::vector<Value> inputs);
  /// Output `index` of the node that made `v`.
  static Value output(const Value& v, int index) { return {&v.graph(), v.node(), index}; }

  /// An effect: survives dead-code removal.
  void update(Value state, Value value) { updates_.push_back({state, value}); }
  [[nodiscard]] const std::vector<Update>& updates() const { return updates_; }

  /// Gives a value a name under which it can be asked for ("mixed10", "features").
  void set_name(std::string name, Value v);
  /// The value of that name. Throws UsageError listing the names there are.
  [[nodiscard]] Value named(const std::string& name) const;
  [[nodiscard]] const std::map<std::string, Value>& names() const { return names_; }

  [[nodiscard]] const Node& node(int id) const { return nodes_[static_cast<size_t>(id)]; }
  [[nodiscard]] Node& node(int id) { return nodes_[static_cast<size_t>(id)]; }
  [[nodiscard]] const Node& node(const Value& v) const { return node(v.node()); }
  [[nodiscard]] int size() const { return static_cast<int>(nodes_.size()); }
  /// The parameters and states in creation order.
  [[nodiscard]] std::vector<Value> sources(Source kind) const;
  /// A value by the name of its source. Empty when there is none.
  [[nodiscard]] Value source(const std::string& name) const;

  /// The scope that operations are recorded in until it changes: the layer's name, in messages and tables.
  void set_scope(std::string scope) { scope_ = std::move(scope); }
  [[nodiscard]] const std::string& scope() const { return scope_; }

 private:
  Value add_source(Source kind, std::string name, Spec spec, Init init);
  std::deque<Node> nodes_;
  std::vector<Update> updates_;
  std::map<std::string, Value> names_, sources_;
  std::string scope_;
  Value step_;
};

/// Whether `text` matches `glob`, where * is any run of characters and ? any one.
bool glob_match(std::string_view glob, std::string_view text);

}  // namespace xf
