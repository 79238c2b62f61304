#pragma once
// One operation on the CPU, run on memory that the test arranges: where operands lie, how far apart their
// rows are, which share memory.

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/core/rng.h"
#include "engine/core/tensor.h"
#include "engine/graph/graph.h"
#include "kernels/cpu/backend.h"

namespace xf::test {

/// How the operands of a run lie.
struct Arrangement {
  std::map<int, int64_t> gap;  ///< operand → elements between its rows, beyond its channels
  std::map<int, int> shared;   ///< output (0 …) → input whose memory it uses
  std::vector<int> unused;     ///< outputs that have no memory
};

/// A graph of one operation and the values of its inputs.
class Lowered {
 public:
  /// `op` over sources of the given specs; a spec of no elements is an absent operand. Inputs get random
  /// values.
  Lowered(OpAttributes op, const std::vector<Spec>& inputs)
      : backend_(cpu::make_backend(Determinism::any_threads)) {
    std::vector<Value> values;
    for (size_t i = 0; i < inputs.size(); ++i) {
      const bool absent = inputs[i].shape.count() == 0;
      values.push_back(absent ? Value{} : graph_.input("in" + std::to_string(i), inputs[i]));
      inputs_.push_back(absent ? Tensor{} : Tensor(inputs[i].shape, inputs[i].dtype));
      if (!absent) randomize(inputs_.back(), i);
    }
    node_ = &graph_.node(graph_.add(std::move(op), values));
    kernel_ = backend_->lower(*node_);
  }

  [[nodiscard]] Tensor& input(size_t i) { return inputs_[i]; }
  [[nodiscard]] const Kernel& kernel() const { return *kernel_; }
  [[nodiscard]] const Node& node() const { return *node_; }

  /// Runs the kernel; returns the outputs, packed; empty ones where unused.
  std::vector<Tensor> run(const Arrangement& how = {}) {
    std::vector<std::vector<std::byte>> memory;
    std::vector<Ref> refs;
    for (size_t i = 0; i < inputs_.size(); ++i) {
      refs.push_back(inputs_[i].empty() ? Ref{} : reserve(memory, spec(i), gap(how, i)));
      if (refs.back()) copy(refs.back(), inputs_[i], Direction::in);
    }
    for (size_t o = 0; o < node_->outputs.size(); ++o) {
      const auto shared = how.shared.find(static_cast<int>(o));
      if (std::find(how.unused.begin(), how.unused.end(), static_cast<int>(o)) != how.unused.end()) {
        refs.emplace_back();
      } else if (shared != how.shared.end()) {
        refs.push_back(refs[static_cast<size_t>(shared->second)]);
        refs.back().spec = node_->outputs[o];
      } else {
        refs.push_back(reserve(memory, node_->outputs[o], gap(how, inputs_.size() + o)));
      }
    }
    std::vector<std::byte> scratch(kernel_->workspace() + kAlignment);
    kernel_->run(backend_->stream(Lane::compute), refs,
                 {aligned(scratch, kernel_->workspace()), kernel_->workspace()});
    std::vector<Tensor> outputs;
    for (size_t o = 0; o < node_->outputs.size(); ++o) {
      const Ref& r = refs[inputs_.size() + o];
      outputs.push_back(r ? Tensor(r.spec.shape, r.spec.dtype) : Tensor{});
      if (r) copy(r, outputs.back(), Direction::out);
    }
    return outputs;
  }

 private:
  enum class Direction : uint8_t { in, out };

  /// As the arena aligns.
  static constexpr size_t kAlignment = 256;
  static std::byte* aligned(std::vector<std::byte>& memory, size_t bytes) {
    void* p = memory.data();
    size_t space = memory.size();
    return static_cast<std::byte*>(std::align(kAlignment, bytes, p, space));
  }

  [[nodiscard]] Spec spec(size_t input) const { return node_->inputs[input].spec(); }
  static int64_t gap(const Arrangement& how, size_t operand) {
    const auto it = how.gap.find(static_cast<int>(operand));
    return it == how.gap.end() ? 0 : it->second;
  }

  static void randomize(Tensor& t, size_t seed) {
    Rng rng(seed + 1);
    for (int64_t i = 0; i < t.shape().count(); ++i) {
      const auto e = static_cast<size_t>(i);
      switch (t.dtype()) {
        case DType::f32: t.as<float>()[e] = static_cast<float>(rng.uniform(-1, 1)); break;
        case DType::bf16: t.as<bfloat16>()[e] = bfloat16(static_cast<float>(rng.uniform(-1, 1))); break;
        case DType::f16: t.as<float16>()[e] = float16(static_cast<float>(rng.uniform(-1, 1))); break;
        case DType::u8: t.as<uint8_t>()[e] = static_cast<uint8_t>(rng.below(4)); break;
        case DType::i32: t.as<int32_t>()[e] = static_cast<int32_t>(rng.below(3)); break;
      }
    }
  }

  static Ref reserve(std::vector<std::vector<std::byte>>& memory, const Spec& spec, int64_t gap) {
    const int64_t stride = spec.shape.c + gap;
    const size_t bytes = static_cast<size_t>(spec.shape.rows() * stride) * size_of(spec.dtype);
    memory.emplace_back(bytes + kAlignment);
    return {aligned(memory.back(), bytes), spec, stride};
  }

  /// Between a packed tensor and an operand's rows.
  static void copy(const Ref& r, Tensor& packed, Direction direction) {
    const size_t each = size_of(r.spec.dtype), bytes = static_cast<size_t>(r.spec.shape.c) * each;
    for (int64_t row = 0; row < r.spec.shape.rows(); ++row) {
      std::byte* there = r.data + static_cast<size_t>(row * r.row_stride) * each;
      std::byte* here = packed.data() + static_cast<size_t>(row) * bytes;
      direction == Direction::in ? std::memcpy(there, here, bytes) : std::memcpy(here, there, bytes);
    }
  }

  std::unique_ptr<Backend> backend_;
  Graph graph_;
  const Node* node_ = nullptr;
  std::unique_ptr<Kernel> kernel_;
  std::vector<Tensor> inputs_;
};

/// Whether two tensors hold the same bytes.
inline bool same_bytes(const Tensor& a, const Tensor& b) {
  return a.bytes() == b.bytes() && (a.bytes() == 0 || std::memcmp(a.data(), b.data(), a.bytes()) == 0);
}

}  // namespace xf::test
