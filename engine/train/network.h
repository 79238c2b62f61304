#pragma once
// A network as training and evaluation know it: how to record it, and what it expects of its input.

#include <functional>
#include <string>

#include "engine/data/preprocess.h"
#include "engine/graph/net.h"

namespace xf {

struct NetworkSpec {
  /// Records the network on an input (n,h,w,channels); the class count is bound.
  std::function<ModelOutputs(const Net&, Value)> build;
  NetOptions net;                           ///< its `mode` is set by whoever records
  int height = 0, width = 0, channels = 3;  ///< of the input
  Preprocess preprocess = Preprocess::unit;
  std::string head = "fc.";  ///< what the names of the last layer's parameters begin with
};

/// What arrives as input: bytes that the graph normalises, or numbers that are already.
enum class InputKind : uint8_t { images, tensor };

/// Records the input "images" (u8, normalised as the spec says) or "tensor" (f32).
Value record_input(Graph& graph, const NetworkSpec& spec, int64_t batch, InputKind kind);

}  // namespace xf
