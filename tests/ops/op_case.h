#pragma once
// One operation with its operands: what the op suite lowers on every backend and compares with the fp64
// reference. Knows nothing of a test framework or a device, so a benchmark can take its rows from it too.

#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

#include "engine/core/rng.h"
#include "engine/graph/graph.h"
#include "tests/ops/reference/array.h"

namespace xf::test {

/// Element `index` of an operand.
using Fill = std::function<double(int64_t index, Rng& rng)>;

Fill normal(double mean = 0, double deviation = 1);
Fill uniform(double low, double high);
/// Any of `values`: equal numbers, so that ties happen.
Fill any_of(std::vector<double> values);
/// 0 … n-1.
Fill below(int64_t n);
/// The given numbers.
Fill numbers(Array values);
Fill step(const StepParams& params);

/// What the precision of the plan does to an operand. activation: it has that type (so have gradients);
/// weights: f32 in memory, rounded to that type when they are packed; fixed: nothing (statistics, labels).
enum class Role : uint8_t { activation, weights, fixed };

struct Operand {
  Spec spec;
  Fill fill;  ///< none: the operand is absent
  Role role = Role::fixed;
  DType computed_in = DType::f32;  ///< of weights: the type they are packed in
};

Operand activation(Shape shape, Fill fill = normal());
Operand weights(Shape shape, Fill fill = normal());
Operand fixed(Shape shape, Fill fill = normal(), DType dtype = DType::f32);
/// Per-channel f32 numbers.
Operand per_channel(int64_t channels, Fill fill = normal());
Operand absent();
Operand step_operand(const StepParams& params);

struct OpCase {
  std::string name;  ///< unique: what varies, then the element type
  OpAttributes op;
  std::vector<Operand> in;
  /// Outputs that a plan may leave without memory.
  std::vector<int> may_be_unused{};
  /// Inputs whose gradient is checked by finite differences: where the first output is smooth around these
  /// numbers, and the case small.
  std::vector<int> differentiable{};
  DType type = DType::f32;  ///< of the plan: what the backend has to support
};

/// The case with the inputs whose gradients are to be checked.
OpCase with_gradients(OpCase c, std::vector<int> inputs);
/// The case with its activations in `dtype`, and results too where the attributes name their type.
OpCase in_type(DType dtype, OpCase c);
/// Each case in f32, bf16 and f16, the type appended to its name.
std::vector<OpCase> in_each_type(const std::vector<OpCase>& cases);

/// The operands' numbers, already rounded to their types; the same at every call.
std::vector<Array> generate(const OpCase& c);
/// The numbers that the operation means by them: weights rounded to the type that it computes in.
std::vector<Array> as_computed(const OpCase& c, std::vector<Array> in);
/// A number as it comes back from a variable of type `dtype`.
double rounded_to(DType dtype, double v);

/// Channel counts that do not divide a vector, beside some that do.
inline constexpr std::initializer_list<int64_t> kChannels = {1, 3, 5, 8, 17, 33, 64, 100};

}  // namespace xf::test
