#include "tests/standin/cudnn/engine.h"

#include <algorithm>
#include <string>
#include <variant>

namespace xf::standin::cudnn {
namespace {

constexpr int64_t kVarying = 1, kTensorCores = 2, kNoWorkspace = 3, kUnsupported = 4, kToCompile = 5;

bool has(const Engine& e, cudnnBackendNumericalNote_t note) {
  return std::ranges::find(e.notes, note) != e.notes.end();
}

// Whether a convolution multiplies f32 operands.
bool multiplies_f32(const Graph& graph) {
  return std::ranges::any_of(graph.operations, [](const Operation& o) {
    const auto* c = std::get_if<Convolution>(&o);
    return c != nullptr &&
           std::ranges::any_of(c->inputs(), [](const Tensor* t) { return t->element() == Element::f32; });
  });
}

int64_t filter_elements(const Graph& graph) {
  int64_t n = 0;
  for (const Operation& o : graph.operations)
    if (const auto* c = std::get_if<Convolution>(&o)) n += c->filter().count();
  return n;
}

}  // namespace

Engine engine(int64_t index, const Graph& graph) {
  switch (index) {
    case kPlain: return {{}, 1};
    case kVarying: return {{CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC}};
    case kTensorCores:
      if (multiplies_f32(graph))
        return {{CUDNN_NUMERICAL_NOTE_TENSOR_CORE, CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS}};
      return {{CUDNN_NUMERICAL_NOTE_TENSOR_CORE}};
    case kNoWorkspace: return {};
    case kUnsupported: return {{}, 0, false};
    case kToCompile: return {{}, 0, true, {CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION}};
    default: fail("there is no engine " + std::to_string(index));
  }
}

std::vector<Choice> proposals(cudnnBackendHeurMode_t mode) {
  if (mode == CUDNN_HEUR_MODE_FALLBACK) return {{kNoWorkspace}};
  return {{kTensorCores}, {kVarying}, {kUnsupported}, {kToCompile}, {kPlain, 1}, {kPlain, 0}};
}

int64_t workspace_bytes(Choice choice, const Graph& graph) {
  const int64_t filters = 4 * filter_elements(graph);
  switch (choice.engine) {
    case kPlain: return 1024 + (1 + choice.tile) * filters;
    case kVarying: return 4096 + 8 * filters;
    case kTensorCores: return 512 + filters;
    default: return 0;
  }
}

double milliseconds(Choice choice) { return choice.engine == kPlain && choice.tile == 1 ? 3 : 2; }

Arithmetic next_arithmetic(const Engine& engine) {
  static bool reversed = false;
  Arithmetic a;
  a.tf32 = has(engine, CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS);
  if (has(engine, CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC)) a.reversed = reversed = !reversed;
  return a;
}

}  // namespace xf::standin::cudnn
