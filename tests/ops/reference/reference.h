#pragma once
// The meaning of every operation, computed naively in fp64 from what engine/graph/ops.h says: independent of
// every kernel, shared by all backends' tests.

#include <map>
#include <span>
#include <vector>

#include "engine/core/rng.h"
#include "engine/graph/graph.h"
#include "tests/ops/reference/array.h"

namespace xf::test {

/// The outputs of one operation, with error bounds. Outputs that the operation leaves unused are empty. An
/// operation without a reference is a link error.
#define XF_OP(Name, text) std::vector<Array> reference(const Name& op, std::span<const Array> in);
#include "engine/graph/ops.def"
#undef XF_OP
std::vector<Array> reference(const OpAttributes& op, std::span<const Array> in);

/// The StepParams that an operand's bytes are.
StepParams step_params(const Array& step);
/// And back.
Array to_array(const StepParams& step);

/// Random errors as large as rounding may make them: how far they move what follows shows what rounding may
/// do to it.
struct Noise {
  Rng rng;
  DType stored_as = DType::f32;  ///< what parameters and results are rounded to
};

/// Values of a graph by the fp64 references, every value f32 in name only: nothing is rounded.
/// `sources` holds a value for each input, param, state and step that is met. With `noise`, every parameter
/// and every result of an operation is moved by a random part of its error.
std::map<Value, Array> evaluate(const Graph& graph, const std::map<Value, Array>& sources,
                                std::span<const Value> wanted, Noise* noise = nullptr);

}  // namespace xf::test
