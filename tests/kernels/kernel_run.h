#pragma once
// Runs one CPU kernel by hand: packs its weights as it wants them, gives it scratch memory.

#include <cstring>
#include <memory>
#include <vector>

#include "engine/core/rng.h"
#include "engine/core/tensor.h"
#include "engine/graph/graph.h"
#include "kernels/cpu/lower.h"

namespace xf::test {

/// A CPU kernel runs in the caller's thread: nothing to wait for.
struct NoStream : Stream {
  void synchronize() override {}
};

/// Numbers around 0 that f32 and bf16 both hold exactly.
inline Tensor random_tensor(const Spec& spec, uint64_t seed) {
  Tensor t(spec.shape, spec.dtype);
  Rng rng(seed);
  for (int64_t i = 0; i < spec.shape.count(); ++i) {
    const bfloat16 v(static_cast<float>(rng.normal()));
    if (spec.dtype == DType::bf16)
      t.as<bfloat16>()[static_cast<size_t>(i)] = v;
    else
      t.as<float>()[static_cast<size_t>(i)] = static_cast<float>(v);
  }
  return t;
}

inline Ref ref_to(Tensor& t) { return {t.data(), {t.shape(), t.dtype()}, t.shape().c}; }

/// One node, made ready.
struct Lowered {
  const Node* node;
  std::unique_ptr<Kernel> kernel;
};

inline Lowered lower_value(const Value& v, Determinism determinism = Determinism::fixed_threads) {
  const Node& node = v.graph().node(v);
  const cpu::Context context{determinism};
  auto kernel = std::visit(
      [&](const auto& op) -> std::unique_ptr<Kernel> {
        if constexpr (std::is_same_v<std::decay_t<decltype(op)>, Conv2d> ||
                      std::is_same_v<std::decay_t<decltype(op)>, ConvBwdData> ||
                      std::is_same_v<std::decay_t<decltype(op)>, ConvBwdWeights> ||
                      std::is_same_v<std::decay_t<decltype(op)>, Dense> ||
                      std::is_same_v<std::decay_t<decltype(op)>, DenseBwdData> ||
                      std::is_same_v<std::decay_t<decltype(op)>, DenseBwdWeights>)
          return cpu::lower(op, node, context);
        else
          return nullptr;
      },
      node.op);
  return {&node, std::move(kernel)};
}

inline void run_kernel(Kernel& kernel, std::span<const Ref> operands) {
  const Tensor scratch({1, 1, 1, static_cast<int64_t>(kernel.workspace() + 256)}, DType::u8);
  auto* data = const_cast<std::byte*>(scratch.data());
  data += (256 - reinterpret_cast<uintptr_t>(data) % 256) % 256;
  NoStream stream;
  kernel.run(stream, operands, {data, kernel.workspace()});
}

/// The weights as `layout` says.
inline Tensor packed(Tensor weights, const Layout& layout) {
  Tensor out({1, 1, 1, layout.bytes}, DType::u8);
  const auto kernel = cpu::lower(Pack{layout.id, layout.bytes}, Node{}, {});
  const std::vector<Ref> operands{ref_to(weights), ref_to(out)};
  run_kernel(*kernel, operands);
  return out;
}

/// Runs a node of one output whose inputs are `inputs`, f32 weights among them; returns the output.
inline Tensor run_node(const Lowered& l, std::vector<Tensor> inputs) {
  std::vector<Ref> operands;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Layout layout = l.kernel->wants(static_cast<int>(i));
    if (layout.id != 0) inputs[i] = packed(std::move(inputs[i]), layout);
    operands.push_back(inputs[i].empty() ? Ref{} : ref_to(inputs[i]));
  }
  Tensor out(l.node->outputs[0].shape, l.node->outputs[0].dtype);
  operands.push_back(ref_to(out));
  run_kernel(*l.kernel, operands);
  return out;
}

}  // namespace xf::test
