#include <map>

#include "engine/core/error.h"
#include "engine/plan/passes.h"

namespace xf {

namespace {

/// What the table asks of an operand: the type computed with, f32, or whatever arrives.
enum class Want : uint8_t { compute, single, any };

/// op → what its activations must be. Operands that are parameters, statistics or indices are `any`.
struct Table {
  Want operator()(const Conv2d&, size_t i) const { return i == 0 || i == 3 ? Want::compute : Want::any; }
  Want operator()(const ConvBwdData&, size_t i) const { return i == 0 ? Want::compute : Want::any; }
  Want operator()(const ConvBwdWeights&, size_t) const { return Want::compute; }
  Want operator()(const BnActBwd&, size_t i) const { return i <= 2 ? Want::compute : Want::any; }
  Want operator()(const BnAct&, size_t i) const { return i == 0 || i == 5 ? Want::compute : Want::any; }
  Want operator()(const Softmax&, size_t) const { return Want::single; }
  Want operator()(const SoftmaxXent&, size_t i) const { return i == 0 ? Want::single : Want::any; }
  Want operator()(const GlobalAvgPoolBwd&, size_t) const { return Want::single; }
  template <class Op>
  Want operator()(const Op&, size_t) const {
    return Want::any;
  }
};

bool is_activation(DType t) { return t == DType::f32 || t == DType::bf16 || t == DType::f16; }

}  // namespace

Program lower_precision(const Program& program, Precision precision) {
  DType compute = DType::f32;
  switch (precision) {
    case Precision::f32:
    case Precision::tf32: {  // tf32 is a choice of kernels, not of types
      Rewriter same(program);
      for (int id = 0; id < program.graph->size(); ++id) same.copy(id);
      return same.finish();
    }
    case Precision::bf16: compute = DType::bf16; break;
    case Precision::f16: compute = DType::f16; break;
  }

  const Graph& g = *program.graph;
  Rewriter r(program);
  std::map<std::pair<Value, DType>, Value> casts;
  const auto as = [&](Value v, DType type) {
    if (!v || v.spec().dtype == type || !is_activation(v.spec().dtype)) return v;
    Value& cast = casts[{v, type}];
    if (!cast) cast = r.fresh().add(Cast{type}, {v});
    return cast;
  };
  for (int id = 0; id < g.size(); ++id) {
    const Node& n = g.node(id);
    if (n.source != Source::none) {
      r.copy(id);
      continue;
    }
    r.fresh().set_scope(n.name);
    OpAttributes op = n.op;
    if (auto* normalize = std::get_if<Normalize>(&op)) normalize->to = compute;
    if (auto* pool = std::get_if<GlobalAvgPoolBwd>(&op)) pool->to = compute;
    std::vector<Value> inputs;
    for (size_t i = 0; i < n.inputs.size(); ++i) {
      const Value v = r.map(n.inputs[i]);
      const Want want = std::visit([&](const auto& a) { return Table{}(a, i); }, n.op);
      inputs.push_back(want == Want::any ? v : as(v, want == Want::single ? DType::f32 : compute));
    }
    // Operands that meet element by element must agree; the gradient follows the forward value.
    if (n.as<ActBwd>() != nullptr) inputs[0] = as(inputs[0], inputs[1].spec().dtype);
    if (n.as<DenseBwdWeights>() != nullptr) inputs[1] = as(inputs[1], inputs[0].spec().dtype);
    if (n.as<Add>() != nullptr || n.as<Concat>() != nullptr)
      for (Value& v : inputs) v = as(v, inputs[0].spec().dtype);
    r.copy_as(id, std::move(op), std::move(inputs));
  }
  return r.finish();
}

}  // namespace xf
