#include "benchmarks/ops/op_run.h"

#include <algorithm>
#include <cstring>

#include "engine/core/rng.h"

namespace xf::bench {

namespace {

/// `bytes` of numbers between low and high: the same few thousand again and again, as drawing millions would
/// take longer than what is measured.
template <class T>
std::vector<std::byte> numbers(size_t bytes, double low, double high) {
  constexpr size_t kDrawn = 4099;  // a prime: rows of channels differ
  std::vector<T> drawn(std::min(kDrawn, bytes / sizeof(T)));
  Rng rng(1);
  for (T& v : drawn) v = T(static_cast<float>(rng.uniform(low, high)));
  std::vector<std::byte> all(bytes);
  for (size_t at = 0; at < bytes; at += drawn.size() * sizeof(T))
    std::memcpy(all.data() + at, drawn.data(), std::min(drawn.size() * sizeof(T), bytes - at));
  return all;
}

template <class T>
std::vector<std::byte> bytes_of(const T& value) {
  std::vector<std::byte> bytes(sizeof(T));
  std::memcpy(bytes.data(), &value, sizeof(T));
  return bytes;
}

/// What input `i` of the node holds; nothing for zeros.
std::vector<std::byte> content(const Node& node, size_t i) {
  const Value& v = node.inputs[i];
  const Spec& spec = v.spec();
  if (v.graph().node(v).source == Source::step) {
    StepParams step;
    step.learning_rate.fill(1e-3F);
    return bytes_of(step);
  }
  if (const auto* back = node.as<PoolBwd>(); back != nullptr && i == 1) {
    // A position that lies in the input for every window.
    const Pool& p = back->pool;
    return std::vector<std::byte>(spec.bytes(), static_cast<std::byte>(p.pad.top * p.kernel_w + p.pad.left));
  }
  const bool vector = spec.shape.rows() == 1;
  const double low = vector ? 0.5 : -1, high = vector ? 1.5 : 1;
  switch (spec.dtype) {
    case DType::f32: return numbers<float>(spec.bytes(), low, high);
    case DType::bf16: return numbers<bfloat16>(spec.bytes(), low, high);
    case DType::f16: return numbers<float16>(spec.bytes(), low, high);
    case DType::u8:
    case DType::i32: break;
  }
  return {};
}

}  // namespace

OpRun::OpRun(Backend& backend, const Node& node, std::span<const Value> operands, Math math)
    : backend_(backend), stream_(backend.stream(Lane::compute)), kernel_(backend.lower(node, math)) {
  for (size_t i = 0; i < operands.size(); ++i) {
    if (!operands[i]) {
      operands_.emplace_back();
      continue;
    }
    const Spec& spec = operands[i].spec();
    const bool is_input = i < node.inputs.size();
    Buffer buffer = reserve(spec.bytes());
    if (is_input) fill(buffer, node, i);
    const Layout layout = is_input ? kernel_->wants(static_cast<int>(i)) : Layout{};
    if (layout.id != 0) {
      const Buffer packed = reserve(static_cast<size_t>(layout.bytes));
      pack(buffer, spec, layout, packed);
      buffer = packed;
    }
    operands_.push_back({buffer.data.get(), spec, spec.shape.c});
  }
  scratch_ = reserve(kernel_->workspace());
  stream_.synchronize();
}

Buffer OpRun::reserve(size_t bytes) {
  memory_.push_back(backend_.reserve(bytes));
  memory_.back().bytes = bytes;
  return memory_.back();
}

void OpRun::fill(const Buffer& buffer, const Node& node, size_t input) {
  const std::vector<std::byte> bytes = content(node, input);
  if (bytes.empty()) return;
  backend_.upload(stream_, buffer.data.get(), bytes.data(), bytes.size());
  stream_.synchronize();
}

void OpRun::pack(const Buffer& plain, const Spec& spec, const Layout& layout, const Buffer& packed) {
  Graph g;
  const Value copy = g.add(Pack{layout.id, layout.bytes}, {g.input("weights", spec)});
  const std::unique_ptr<Kernel> kernel = backend_.lower(g.node(copy));
  const Buffer scratch = backend_.reserve(kernel->workspace());
  const std::vector<Ref> operands{{plain.data.get(), spec, spec.shape.c},
                                  {packed.data.get(), copy.spec(), copy.shape().c}};
  kernel->run(stream_, operands, {scratch.data.get(), kernel->workspace()});
  stream_.synchronize();
}

}  // namespace xf::bench
