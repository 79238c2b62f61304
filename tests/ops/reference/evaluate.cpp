#include <algorithm>
#include <cstring>
#include <utility>
#include <variant>

#include "engine/core/error.h"
#include "tests/ops/reference/reference.h"

namespace xf::test {

std::vector<Array> reference(const OpAttributes& op, std::span<const Array> in) {
  return std::visit(
      [&](const auto& a) -> std::vector<Array> {
        if constexpr (std::is_same_v<std::decay_t<decltype(a)>, std::monostate>)
          throw InternalError("reference", "a source has no operation");
        else
          return reference(a, in);
      },
      op);
}

StepParams step_params(const Array& step) {
  std::vector<unsigned char> bytes(step.value.size());
  std::transform(step.value.begin(), step.value.end(), bytes.begin(),
                 [](double b) { return static_cast<unsigned char>(b); });
  StepParams p;
  std::memcpy(&p, bytes.data(), std::min(sizeof p, bytes.size()));
  return p;
}

Array to_array(const StepParams& step) {
  unsigned char bytes[sizeof step];
  std::memcpy(bytes, &step, sizeof step);
  Array a(vector_shape(sizeof step));
  std::copy(std::begin(bytes), std::end(bytes), a.value.begin());
  return a;
}

namespace {

/// Half the distance between numbers of a type near 1.
double unit_roundoff(DType dtype) {
  return dtype == DType::bf16 ? 0x1p-8 : dtype == DType::f16 ? 0x1p-11 : kUnit;
}

void disturb(Array& a, Noise& noise) {
  const double unit = unit_roundoff(noise.stored_as);
  for (size_t i = 0; i < a.value.size(); ++i) {
    const double error = (a.error.empty() ? 0 : a.error[i]) + unit * std::abs(a.value[i]);
    if (std::isfinite(error)) a.value[i] += error * noise.rng.uniform(-1, 1);
  }
}

}  // namespace

std::map<Value, Array> evaluate(const Graph& graph, const std::map<Value, Array>& sources,
                                std::span<const Value> wanted, Noise* noise) {
  std::vector<bool> needed(static_cast<size_t>(graph.size()));
  for (const Value& v : wanted) needed[static_cast<size_t>(v.node())] = true;
  for (int i = graph.size() - 1; i >= 0; --i)
    if (needed[static_cast<size_t>(i)])
      for (const Value& v : graph.node(i).inputs)
        if (v) needed[static_cast<size_t>(v.node())] = true;

  std::map<Value, Array> known = sources;
  for (int i = 0; i < graph.size(); ++i) {
    if (!needed[static_cast<size_t>(i)]) continue;
    const Node& node = graph.node(i);
    const Value first(const_cast<Graph*>(&graph), i, 0);
    if (node.source == Source::constant) {
      Array a(first.shape());
      std::fill(a.value.begin(), a.value.end(), static_cast<double>(node.init.value));
      known.insert_or_assign(first, std::move(a));
    }
    if (node.source != Source::none) {
      if (known.count(first) == 0) throw InternalError(node.name, "the evaluation was given no value for it");
      if (noise != nullptr && node.source == Source::param) disturb(known.at(first), *noise);
      continue;
    }
    std::vector<Array> in;
    for (const Value& v : node.inputs) in.push_back(v ? known.at(v) : Array{});
    std::vector<Array> out = reference(node.op, in);
    for (size_t o = 0; o < out.size(); ++o)
      if (noise != nullptr && node.outputs[o].dtype != DType::u8) disturb(out[o], *noise);  // not positions
    for (size_t o = 0; o < out.size(); ++o)
      known.insert_or_assign(Graph::output(first, static_cast<int>(o)), std::move(out[o]));
  }
  std::map<Value, Array> result;
  for (const Value& v : wanted) result.emplace(v, known.at(v));
  return result;
}

}  // namespace xf::test
