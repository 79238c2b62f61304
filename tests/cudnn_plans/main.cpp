// Whether cuDNN has an engine for every convolution that this program asks it for: the plans of the networks'
// convolutions and of both gradients, finalized by the real cuDNN for GPUs that are described to it. No GPU
// and no driver are needed. It shows support, types, shapes and temporary memory; no number is computed.
//
// usage: cudnn-plans        Prints a table; "N passed, M failed" last.

#include <cudnn.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "engine/core/error.h"
#include "kernels/cuda/cudnn_plan.h"
#include "tests/cudnn_plans/devices.h"
#include "tests/cudnn_plans/networks.h"

namespace xf::test {
namespace {

using namespace xf::cuda;

constexpr int64_t kBatch = 32;
constexpr size_t kLimit = size_t{1} << 30;

struct Precision {
  const char* name;
  DType type;
  Math math;
  int least_compute;  ///< below it cuDNN has no such engine, and the program does not offer it
};
constexpr Precision kPrecisions[] = {{"f32", DType::f32, Math::f32, 75},
                                     {"tf32", DType::f32, Math::tf32, 75},
                                     {"bf16", DType::bf16, Math::f32, 80},
                                     {"f16", DType::f16, Math::f32, 75}};

int64_t extent(int64_t in, int kernel, int stride, int before, int after) {
  return (in + before + after - kernel) / stride + 1;
}

ConvProblem problem(const NetworkConv& c, ConvKind kind, const Precision& precision) {
  ConvProblem p;
  p.kind = kind;
  p.type = precision.type;
  p.math = precision.math;
  p.window = c.window;
  p.x = c.x;
  p.x.n = kBatch;
  p.y = {kBatch, extent(c.x.h, c.window.kernel_h, c.window.stride_h, c.window.pad.top, c.window.pad.bottom),
         extent(c.x.w, c.window.kernel_w, c.window.stride_w, c.window.pad.left, c.window.pad.right),
         c.outputs};
  return p;
}

ConvProblem with_epilogue(ConvProblem p, bool residual) {
  p.bias = true;
  p.residual = residual;
  p.window.act = Activation::relu;
  return p;
}

/// The plans that lower_conv.cpp asks for, for one convolution.
std::map<std::string, ConvProblem> asked(const NetworkConv& c, const Precision& precision) {
  const ConvProblem plain = problem(c, ConvKind::forward, precision);
  std::map<std::string, ConvProblem> all{{"forward", plain},
                                         {"forward bias relu", with_epilogue(plain, false)},
                                         {"forward bias residual relu", with_epilogue(plain, true)},
                                         {"data gradient", problem(c, ConvKind::data_gradient, precision)}};
  if (precision.type == DType::f32 || !is_product(c.window))
    all.emplace("weight gradient", problem(c, ConvKind::weight_gradient, precision));
  return all;
}

struct Row {
  int plans = 0, refused = 0;
  size_t most_workspace = 0;
  std::map<std::string, int> engines;  ///< first choices
};

/// The engine that would run first. Throws UnavailableError where there is none.
void finalize(const ConvProblem& p, const std::string& device, Row& row) {
  ConvPlans plans(p, {nullptr, device}, kLimit);
  for (int i = 0; i < plans.count(); ++i) {
    if (!plans.build(i)) continue;
    const std::string& name = plans.engine(i);
    ++row.engines[name.substr(name.rfind("eng") + 3, name.find("_k") - name.rfind("eng") - 3)];
    row.most_workspace = std::max(row.most_workspace, plans.workspace(i));
    return;
  }
  throw UnavailableError(to_string(p), plans.refusal());
}

std::string likeliest(const Row& row) {
  std::vector<std::pair<int, std::string>> order;
  for (const auto& [name, count] : row.engines) order.emplace_back(-count, name);
  std::sort(order.begin(), order.end());
  std::string text;
  for (size_t i = 0; i < std::min<size_t>(order.size(), 4); ++i)
    text += fmt::format(" {}({})", order[i].second, -order[i].first);
  return text;
}

class Survey {
 public:
  void run() {
    fmt::print("cuDNN {}, batch {}, engines by number (first choices)\n", cudnnGetVersion(), kBatch);
    fmt::print("{:<5} {:<5} {:<27} {:>5} {:>7} {:>9}  {}\n", "sm", "type", "plan", "plans", "refused",
               "workspace", "engines");
    for (const DescribedGpu& gpu : kDescribedGpus)
      for (const Precision& precision : kPrecisions) run(gpu, precision);
    fmt::print("{} passed, {} failed\n", passed_, failed_);
  }
  [[nodiscard]] bool failed() const { return failed_ > 0; }

 private:
  void run(const DescribedGpu& gpu, const Precision& precision) {
    const std::string device = description(gpu);
    const bool supported = gpu.compute >= precision.least_compute;
    std::map<std::string, Row> rows;
    for (const NetworkConv& c : convolutions_)
      for (const auto& [name, p] : asked(c, precision)) {
        Row& row = rows[name];
        ++row.plans;
        std::string refusal;
        try {
          finalize(p, device, row);
        } catch (const UnavailableError& e) {
          ++row.refused;
          refusal = e.what();
        }
        if (refusal.empty() == supported) {
          ++passed_;
        } else {
          ++failed_;
          fmt::print(
              "FAILED on {}: {}\n", gpu.name,
              supported ? refusal : to_string(p) + ": finalized, and the program says it is not there");
        }
      }
    for (const auto& [name, row] : rows)
      fmt::print("{:<5} {:<5} {:<27} {:>5} {:>7} {:>5} MiB {}\n", gpu.compute, precision.name, name,
                 row.plans, row.refused, (row.most_workspace + (size_t{1} << 20) - 1) >> 20, likeliest(row));
  }

  /// Of all networks, each distinct one once.
  static std::vector<NetworkConv> distinct() {
    std::map<std::string, NetworkConv> all;
    for (const NetworkConvs& network : networks())
      for (const NetworkConv& c : network.convs)
        all.emplace(to_string(problem(c, ConvKind::forward, kPrecisions[0])), c);
    std::vector<NetworkConv> list;
    list.reserve(all.size());
    for (const auto& [text, c] : all) list.push_back(c);
    return list;
  }

  std::vector<NetworkConv> convolutions_ = distinct();
  int passed_ = 0, failed_ = 0;
};

/// What the program works around because no engine that comes compiled does it. Were one of these to
/// finalize, the work-around would be there for nothing.
int absences() {
  const Precision bf16 = kPrecisions[2];
  const NetworkConv c{{1, 56, 56, 64}, 64, {3, 3, 1, 1, {1, 1, 1, 1}, Activation::none}};
  ConvProblem act_alone = problem(c, ConvKind::forward, bf16);
  act_alone.window.act = Activation::relu;
  Row row;
  try {
    finalize(act_alone, description(kDescribedGpus[2]), row);
  } catch (const UnavailableError&) {
    return 0;
  }
  fmt::print("FAILED: cuDNN fuses an activation without a bias now: ConvKernel's zeros may go\n");
  return 1;
}

}  // namespace
}  // namespace xf::test

int main() {
  xf::test::Survey survey;
  survey.run();
  return survey.failed() || xf::test::absences() > 0 ? 1 : 0;
}
