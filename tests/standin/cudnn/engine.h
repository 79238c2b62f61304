#pragma once
// The engines of the stand-in: invented, and as different from each other as those that a caller must tell
// apart.

#include <cudnn_graph.h>

#include <cstdint>
#include <vector>

#include "tests/standin/cudnn/graph.h"

namespace xf::standin::cudnn {

/// An engine of the list, by its global index.
struct Engine {
  std::vector<cudnnBackendNumericalNote_t> notes;
  int64_t most_tile = 0;  ///< the knob TILE_SIZE goes from 0 to this; 0: the engine has no knob
  bool builds = true;     ///< false: the heuristics name it, and its plans are not supported after all
  std::vector<cudnnBackendBehaviorNote_t> behavior{};
};

/// What a configuration chooses.
struct Choice {
  int64_t engine = 0;
  int64_t tile = 0;
};

constexpr int64_t kEngines = 6;
constexpr int64_t kPlain = 0;  ///< f32 arithmetic, the same at every run, comes compiled; has the knob

/// An engine for a graph. Throws Failure when there is no such engine.
Engine engine(int64_t index, const Graph& graph);

/// What the heuristics propose, best first: what a careless caller must not take comes first.
std::vector<Choice> proposals(cudnnBackendHeurMode_t mode);

/// Bytes of workspace.
int64_t workspace_bytes(Choice choice, const Graph& graph);

/// How long it takes to run: among the configurations that a careful caller may take, the heuristics' second
/// is the fastest, and their third takes as long.
double milliseconds(Choice choice);

/// How the engine computes this time.
Arithmetic next_arithmetic(const Engine& engine);

}  // namespace xf::standin::cudnn
