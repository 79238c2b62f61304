#pragma once
// From a recorded graph to a plan: every decision that can be made before the first step.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/graph/graph.h"
#include "engine/plan/program.h"
#include "engine/run/backend.h"

namespace xf {

enum class Precision : uint8_t { f32, tf32, bf16, f16 };
/// Parses "f32" … "f16". Throws UsageError listing them.
Precision parse_precision(const std::string& text);
std::string_view name(Precision p);

/// Whether the parameters change between the plan's runs. Fixed ones are folded and packed once, and kept.
enum class Weights : uint8_t { changing, fixed };

/// Whether compile() accepts a reference implementation.
enum class AllowReference : uint8_t { no, yes };

struct CompileOptions {
  Precision precision = Precision::f32;
  Weights weights = Weights::changing;
  AllowReference allow_reference = AllowReference::no;
  int ranks = 1;  ///< that train together, each on its share of the images
};

/// Which memory a value lies in. store: by its name in the ParamStore. arena: shared by all plans of a model,
/// its bytes meaningless between runs. fixed: the plan's own, kept from run to run.
enum class Region : uint8_t { none, store, arena, fixed };

struct Slot {
  Region region = Region::none;
  size_t offset = 0;       ///< in arena or fixed
  int64_t row_stride = 0;  ///< in elements
  Value source;            ///< store: the parameter or state
};

/// When a step runs: once for given weights, in every micro-batch, or once an update.
enum class Phase : uint8_t { once, batch, update };

struct PlanStep {
  int node = 0;
  Phase phase = Phase::batch;
  std::shared_ptr<Kernel> kernel;
  std::vector<Value> operands;  ///< inputs, then outputs; empty ones are absent
  Slot scratch;
};

/// A piece of the arena while it is in use: up to and including step `last`. The `guard` bytes behind it
/// belong to nobody (Debug builds only; 0 otherwise).
struct ArenaSpan {
  size_t offset = 0, bytes = 0, guard = 0;
  int last = 0;
};

/// A compiled graph: kernels in order, and where every operand lies.
struct Plan {
  Program program;
  std::vector<PlanStep> steps;
  std::map<Value, Slot> slots;
  std::vector<ArenaSpan> spans;
  size_t arena_bytes = 0, fixed_bytes = 0;

  [[nodiscard]] const Graph& graph() const { return *program.graph; }
  [[nodiscard]] const Slot& slot(Value v) const;
};

/// Compiles what `keep` and the graph's updates need. Throws UnavailableError when the backend cannot compute
/// with the precision, or when an operation lowers to a reference implementation and that was not allowed.
Plan compile(const Graph& graph, std::span<const Value> keep, const CompileOptions& options,
             Backend& backend);

}  // namespace xf
