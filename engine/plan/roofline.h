#pragma once
// The least time that a program's operations take on a GPU, by its data sheet: a roofline (Williams,
// Waterman, Patterson, CACM 2009). An estimate: nothing runs. An operation takes as long as the slower of two
// things: moving each of its operands once between memory and the chip at full bandwidth, and its arithmetic
// at full speed. What launches, passes over data that does not fit the chip, and imperfect kernels add is not
// in it; neither is what a cache saves from one operation to the next.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/graph/graph.h"
#include "engine/plan/compile.h"
#include "engine/plan/program.h"

namespace xf {

/// What a data sheet says, per second. The peaks of tf32, bf16 and f16 are those of dense matrix products
/// with sums in f32; that of f32 holds for all other arithmetic too.
struct Gpu {
  std::string name;
  double bytes = 0;
  double f32 = 0, tf32 = 0, bf16 = 0, f16 = 0;  ///< additions and multiplications
};

/// "h100", "a100", "rtx4090"; null for another word.
const Gpu* find_gpu(std::string_view word);
std::vector<std::string_view> gpu_words();

/// What one run of an operation computes and moves.
struct Work {
  double flops = 0;  ///< additions and multiplications; of a convolution as if no window touched the padding
  double bytes = 0;  ///< of every operand once; weights of matrix products in the type they are computed in
};
/// `operands`: inputs, then outputs; empty ones cost nothing (operands_of()).
Work work_of(const Node& node, std::span<const Value> operands);

enum class Bound : uint8_t { memory, arithmetic };
std::string_view name(Bound bound);

struct Roof {
  double seconds = 0;
  Bound bound = Bound::memory;
};
/// The least time of `work`, a run of `node`, with matrix products of f32 operands in tf32 where that is the
/// precision.
Roof roof(const Gpu& gpu, Precision precision, const Node& node, const Work& work);

struct EstimatedOp {
  int node = 0;
  int runs = 1;  ///< in one update
  Work work;     ///< of one run
  Roof roof;     ///< of one run
};

/// Of one update: `micro_batches` runs of the program, whose Optimize runs once. Concatenations and slices
/// are left out: a plan can make them views.
struct Estimate {
  std::vector<EstimatedOp> ops;  ///< in the order of the program
  Work work;                     ///< of all runs
  double seconds = 0;
};
Estimate estimate(const Program& program, const Gpu& gpu, Precision precision, int micro_batches);

/// What all operations of one kind take together, the longest first.
struct EstimatedKind {
  std::string_view op;
  int count = 0;  ///< operations, each once
  double flops = 0, bytes = 0, seconds = 0;
  double memory_seconds = 0;  ///< of those that memory bounds
};
std::vector<EstimatedKind> by_kind(const Program& program, const Estimate& estimate);

}  // namespace xf
