#include "tests/ops/finite_differences.h"

#include <fmt/format.h>

#include "engine/autograd/gradients.h"
#include "engine/core/rng.h"
#include "tests/ops/reference/reference.h"

namespace xf::test {
namespace {

constexpr double kStep = 1e-4;
constexpr int64_t kElements = 24;

struct Loss {
  double value = 0, magnitude = 0;
};

Loss weighted_sum(const Graph& graph, const Value& y, const Array& seed,
                  const std::map<Value, Array>& sources) {
  const Array out = evaluate(graph, sources, {&y, 1}).at(y);
  Loss loss;
  for (size_t i = 0; i < out.value.size(); ++i) {
    loss.value += seed.value[i] * out.value[i];
    loss.magnitude += std::abs(seed.value[i] * out.value[i]);
  }
  return loss;
}

}  // namespace

std::string check_gradients(const Value& y, std::span<const Value> wrt, std::map<Value, Array> sources) {
  Graph& graph = y.graph();
  const Value seed = graph.input("seed", {y.shape(), DType::f32});
  Array& weights = sources[seed] = Array(y.shape());
  Rng rng(7);
  for (double& v : weights.value) v = rng.normal();
  const std::vector<Value> analytic = gradients(y, wrt, seed);
  const std::map<Value, Array> gradient = evaluate(graph, sources, analytic);

  int64_t tried = 0, kinks = 0;
  for (size_t k = 0; k < wrt.size(); ++k) {
    const Array& g = gradient.at(analytic[k]);
    if (g.shape != wrt[k].shape())
      return fmt::format("the gradient of operand {} is {}", k, to_string(g.shape));
    const int64_t skip = std::max<int64_t>(1, g.count() / kElements);
    for (int64_t i = 0; i < g.count(); i += skip) {
      double& x = sources.at(wrt[k]).value[static_cast<size_t>(i)];
      const double before = x;
      double magnitude = 0;
      const auto difference = [&](double h) {
        x = before + h;
        const Loss up = weighted_sum(graph, y, sources.at(seed), sources);
        x = before - h;
        const Loss down = weighted_sum(graph, y, sources.at(seed), sources);
        x = before;
        magnitude = std::max(up.magnitude, down.magnitude);
        return (up.value - down.value) / (2 * h);
      };
      const double twice = difference(2 * kStep), once = difference(kStep);
      const double truncation = std::abs(twice - once);
      const double rounding = 1000 * std::numeric_limits<double>::epsilon() * magnitude / kStep;
      ++tried;
      if (truncation > 1e-3 * (std::abs(once) + 1)) {
        ++kinks;
      } else if (!(std::abs(g[i] - once) <= truncation + rounding)) {
        return fmt::format("operand {}, element {}: {} instead of {} (within {})", k, i, g[i], once,
                           truncation + rounding);
      }
    }
  }
  if (4 * kinks > tried) return fmt::format("{} of {} elements lie at kinks", kinks, tried);
  return {};
}

}  // namespace xf::test
