#include "benchmarks/ops/operand_numbers.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/core/rng.h"

namespace xf::bench {
namespace {

constexpr int kDrawn = 4099;  // a prime: rows of channels differ

enum class Kind : uint8_t { centred, around_one, distinct, off_zero, near_zero, steps };

std::vector<float> drawn(Kind kind, uint64_t seed) {
  Rng rng(seed);
  std::vector<float> all;
  for (int i = 0; i < kDrawn; ++i) {
    const double u = rng.uniform(-1, 1);
    double v = u;
    switch (kind) {
      case Kind::centred: break;
      case Kind::around_one: v = 1 + u / 2; break;
      case Kind::distinct:  // (256 … 129)/256, then half of them, a quarter, … : exact in 16 bits
        v = std::ldexp(i % 2 == 0 ? 1 : -1, -(i / 256)) * (256 - i / 2 % 128) / 256;
        break;
      case Kind::off_zero: v = u + std::copysign(1, u); break;
      case Kind::near_zero: v = u / 5; break;
      case Kind::steps: v = 4 * std::round(1.5 * u); break;
    }
    all.push_back(static_cast<float>(v));
  }
  if (kind == Kind::distinct) rng.shuffle(all);
  return all;
}

/// `bytes` of numbers: the same few thousand again and again, as drawing millions would take longer than what
/// is measured.
template <class T>
std::vector<std::byte> repeated(const std::vector<float>& numbers, size_t bytes) {
  std::vector<T> some(numbers.size());
  std::transform(numbers.begin(), numbers.end(), some.begin(), [](float v) { return T(v); });
  std::vector<std::byte> all(bytes);
  const size_t size = some.size() * sizeof(T);
  for (size_t at = 0; at < bytes; at += size)
    std::memcpy(all.data() + at, some.data(), std::min(size, bytes - at));
  return all;
}

template <class T>
std::vector<std::byte> bytes_of(const T& value) {
  std::vector<std::byte> bytes(sizeof(T));
  std::memcpy(bytes.data(), &value, sizeof(T));
  return bytes;
}

Kind kind_of(const Node& node, size_t i) {
  if (node.as<Pool>() != nullptr) return Kind::distinct;
  if (node.as<BnAct>() != nullptr && i == 0) return Kind::off_zero;
  if (node.as<BnAct>() != nullptr && i == 2) return Kind::near_zero;
  if (node.as<BnAct>() != nullptr && i == 5) return Kind::steps;
  return node.inputs[i].shape().rows() == 1 ? Kind::around_one : Kind::centred;
}

}  // namespace

std::vector<std::byte> operand_numbers(const Node& node, size_t i) {
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
  const std::vector<float> numbers = drawn(kind_of(node, i), i + 1);
  switch (spec.dtype) {
    case DType::f32: return repeated<float>(numbers, spec.bytes());
    case DType::bf16: return repeated<bfloat16>(numbers, spec.bytes());
    case DType::f16: return repeated<float16>(numbers, spec.bytes());
    case DType::u8:
    case DType::i32: break;
  }
  return {};
}

}  // namespace xf::bench
