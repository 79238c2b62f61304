#include "kernels/cuda/conv_choice.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "engine/core/error.h"
#include "kernels/cuda/check.h"
#include "kernels/cuda/event.h"

namespace xf::cuda {
namespace {

constexpr size_t kTried = 8;  // engines that are timed: the fastest is hardly ever further down the list
constexpr int kRuns = 3;

// Zeros for the operands of a trial, for as long as it takes.
class TrialMemory {
 public:
  explicit TrialMemory(cudaStream_t stream) : stream_(stream) {}

  /// Null where there is no memory left.
  void* take(size_t bytes) {
    void* memory = nullptr;
    if (cudaMalloc(&memory, std::max<size_t>(bytes, 1)) != cudaSuccess) {
      cudaGetLastError();
      return nullptr;
    }
    owned_.emplace_back(memory);
    check(cudaMemsetAsync(memory, 0, bytes, stream_), "cudaMemset");
    return memory;
  }

 private:
  struct Free {
    void operator()(void* p) const { cudaFree(p); }
  };
  cudaStream_t stream_;
  std::vector<std::unique_ptr<void, Free>> owned_;
};

float milliseconds(const ConvPlans& plans, int i, const ConvOperands& operands, void* workspace,
                   cudaStream_t stream) {
  plans.run(i, operands, workspace);  // loads the code
  Event start(Timing::on), end(Timing::on);
  start.record(stream);
  for (int run = 0; run < kRuns; ++run) plans.run(i, operands, workspace);
  end.record(stream);
  end.wait();
  return Event::milliseconds(start, end);
}

// Nothing where the trial's operands do not fit beside what is in memory already.
std::optional<int> fastest(const ConvPlans& plans, const std::vector<int>& candidates, const ConvProblem& p,
                           Libraries& libraries) {
  cudaStream_t stream = libraries.trials();
  libraries.queue_cudnn_on(stream);
  TrialMemory memory(stream);
  size_t scratch = 0;
  for (const int i : candidates) scratch = std::max(scratch, plans.workspace(i));
  const auto tensor = [&](const Shape& s) { return memory.take(Spec{s, p.type}.bytes()); };
  ConvOperands o{tensor(p.x), tensor(p.weights()), tensor(p.y)};
  if (p.residual) o.residual = tensor(p.y);
  if (p.bias) o.bias = tensor(vector_shape(p.y.c));
  void* workspace = memory.take(scratch);
  if (o.x == nullptr || o.w == nullptr || o.y == nullptr || workspace == nullptr ||
      (p.residual && o.residual == nullptr) || (p.bias && o.bias == nullptr))
    return std::nullopt;
  float least = std::numeric_limits<float>::infinity();
  int best = candidates.front();
  for (const int i : candidates) {
    const float time = milliseconds(plans, i, o, workspace, stream);
    if (time < least) {
      least = time;
      best = i;
    }
  }
  return best;
}

}  // namespace

int choose_engine(ConvPlans& plans, const ConvProblem& problem, Libraries& libraries,
                  Determinism determinism) {
  const std::string text = to_string(problem);
  const bool timed = determinism == Determinism::fixed_threads;
  if (timed) {
    const std::optional<std::string> known = libraries.engines().find(text);
    for (int i = 0; known && i < plans.count(); ++i)
      if (plans.engine(i) == *known && plans.build(i)) return i;
  }
  std::vector<int> candidates;
  for (int i = 0; i < plans.count() && candidates.size() < (timed ? kTried : 1); ++i)
    if (plans.build(i)) candidates.push_back(i);
  if (candidates.empty())
    throw UnavailableError(text, "cuDNN: " + plans.refusal(), "use another --precision");
  if (candidates.size() == 1) return candidates.front();
  const std::optional<int> best = fastest(plans, candidates, problem, libraries);
  if (!best) return candidates.front();
  libraries.engines().store(text, plans.engine(*best));
  return *best;
}

}  // namespace xf::cuda
