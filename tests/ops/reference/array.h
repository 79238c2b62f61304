#pragma once
// What the naive fp64 references compute with: numbers, and how far a computation in f32 may be from them.
//
// Error model. Every f32 operation rounds with unit roundoff u = 2^-24. A sum of n terms computed in any
// order differs from the true one by at most n u times the sum of the terms' magnitudes (Higham, "Accuracy
// and Stability of Numerical Algorithms", 2002, §4.2). Roundings are as good as independent, so but for a
// probability below 2 exp(-λ²/2) it is also within λ sqrt(n) u of it (Higham & Mary 2019, theorem 3.1); λ = 8
// makes that 3e-14. chain(n) is the smaller of both. Whatever a reference writes to `error` follows from this
// and the formula in engine/graph/ops.h; nothing is fitted to a kernel.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "engine/core/shape.h"
#include "engine/graph/ops.h"

namespace xf::test {

/// A tensor in fp64, in row-major order of its shape. An absent operand or unused output has no values.
/// Integers and the bytes of StepParams are numbers too.
struct Array {
  Shape shape{0, 0, 0, 0};
  std::vector<double> value;
  /// Bound on |f32 computation - value| before the result is rounded to its type; empty: exact.
  std::vector<double> error;

  Array() = default;
  explicit Array(Shape s) : shape(s), value(static_cast<size_t>(s.count())) {}
  /// Zeros, with room for error bounds.
  static Array inexact(Shape s) {
    Array a(s);
    a.error.resize(a.value.size());
    return a;
  }
  [[nodiscard]] explicit operator bool() const { return !value.empty(); }
  [[nodiscard]] size_t at(int64_t n, int64_t h, int64_t w, int64_t c) const {
    return static_cast<size_t>(((n * shape.h + h) * shape.w + w) * shape.c + c);
  }
  [[nodiscard]] double operator()(int64_t n, int64_t h, int64_t w, int64_t c) const {
    return value[at(n, h, w, c)];
  }
  [[nodiscard]] double operator[](int64_t i) const { return value[static_cast<size_t>(i)]; }
  [[nodiscard]] int64_t count() const { return static_cast<int64_t>(value.size()); }
};

inline constexpr double kUnit = 0x1p-24;  ///< unit roundoff of f32

/// Relative error of a chain of n f32 roundings.
inline double chain(double n) { return std::min(n, 8 * std::sqrt(n)) * kUnit; }

/// A sum that knows the magnitude and number of its terms.
struct Sum {
  double value = 0, magnitude = 0, terms = 0;
  void add(double x) {
    value += x;
    magnitude += std::abs(x);
    ++terms;
  }
  /// Error bound of the f32 sum; `more` roundings apply to every term or to the total.
  [[nodiscard]] double error(double more = 1) const { return chain(terms + more) * magnitude; }
};

/// A number with the error bound of its f32 evaluation, propagated to first order and rounded up at each
/// step. Used where an operation is a short formula over each element.
struct Bounded {
  double value = 0, error = 0;

  Bounded() = default;
  Bounded(double v, double e = 0) : value(v), error(e) {}  // NOLINT(google-explicit-constructor): a number
  static Bounded rounded(double v, double e) { return {v, e + kUnit * (std::abs(v) + e)}; }
  friend Bounded operator+(Bounded a, Bounded b) { return rounded(a.value + b.value, a.error + b.error); }
  friend Bounded operator-(Bounded a, Bounded b) { return rounded(a.value - b.value, a.error + b.error); }
  friend Bounded operator*(Bounded a, Bounded b) {
    return rounded(a.value * b.value,
                   std::abs(a.value) * b.error + std::abs(b.value) * a.error + a.error * b.error);
  }
  friend Bounded operator/(Bounded a, Bounded b) {
    const double least = std::abs(b.value) - b.error;
    if (least <= 0) return {a.value / b.value, std::numeric_limits<double>::infinity()};
    const double q = a.value / b.value;
    return rounded(q, (a.error + std::abs(q) * b.error) / least);
  }
};

/// The root of a number that is not negative; holds at 0 too, where the derivative does not exist.
inline Bounded root(Bounded a) {
  const double high = std::sqrt(a.value + a.error), low = std::sqrt(std::max(0.0, a.value - a.error));
  const double v = std::sqrt(a.value);
  return Bounded::rounded(v, std::max(high - v, v - low));
}

/// After the activation: a number surely below zero is zero exactly.
inline Bounded activated(Bounded b, Activation act) {
  if (act == Activation::none || b.value > 0) return b;
  return {0, std::max(0.0, b.value + b.error)};
}

/// Operand `index`, or an empty Array: an absent one, or one left off the end.
inline const Array& operand(std::span<const Array> in, size_t index) {
  static const Array absent;
  return index < in.size() ? in[index] : absent;
}

inline void set(Array& a, size_t i, Bounded b) {
  a.value[i] = b.value;
  a.error[i] = b.error;
}

}  // namespace xf::test
