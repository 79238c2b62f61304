#pragma once
// A graph on its way through the passes, and the tool they are written with. A pass copies the graph node by
// node into a new one and changes what it is about on the way; nothing is edited in place.

#include <map>
#include <memory>
#include <span>
#include <vector>

#include "engine/graph/graph.h"

namespace xf {

/// A graph of its own, and the values somebody will ask for, in the order they were named to compile().
struct Program {
  std::unique_ptr<Graph> graph;
  std::vector<Value> keep;
};

/// Whether a value is read by an operation, kept, or the new value of a state.
class Uses {
 public:
  explicit Uses(const Program& program);
  /// How often operations read it.
  [[nodiscard]] int reads(Value v) const;
  /// Whether it must exist as it is: kept or an update's value.
  [[nodiscard]] bool pinned(Value v) const { return pinned_.count(v) != 0; }
  /// Whether exactly one operation reads it and nothing else needs it: it may be fused away.
  [[nodiscard]] bool only_one(Value v) const { return reads(v) == 1 && !pinned(v); }

 private:
  std::map<Value, int> reads_;
  std::map<Value, bool> pinned_;
};

/// The operands of node `id`: its inputs, then its outputs. Absent inputs and outputs that nobody needs are
/// empty.
std::vector<Value> operands_of(const Program& program, int id, const Uses& uses);

class Rewriter {
 public:
  Rewriter(const Graph& old, std::span<const Value> keep) : old_(old), keep_(keep) {
    to_.graph = std::make_unique<Graph>();
  }
  explicit Rewriter(const Program& from) : Rewriter(*from.graph, from.keep) {}
  [[nodiscard]] const Graph& old() const { return old_; }
  [[nodiscard]] Graph& fresh() { return *to_.graph; }
  /// The new value that stands for an old one; empty for an empty one.
  [[nodiscard]] Value map(Value old) const;
  /// Copies old node `id`, its operands replaced by what stands for them, and its specs inferred anew.
  void copy(int id);
  /// Copies it with another operation or other operands (already new values).
  void copy_as(int id, OpAttributes op, std::vector<Value> inputs);
  /// From now on `fresh` stands for `old`.
  void replace(Value old, Value fresh);
  /// The rewritten program: kept values, updates and names follow their values; names whose value is gone go
  /// too.
  Program finish();

 private:
  [[nodiscard]] Value old_value(int id, int output) const { return {const_cast<Graph*>(&old_), id, output}; }

  const Graph& old_;
  std::span<const Value> keep_;
  Program to_;
  std::map<Value, Value> map_;
};

/// A copy of a graph, with only what `keep` and the updates need.
Program prune(const Graph& graph, std::span<const Value> keep);

}  // namespace xf
