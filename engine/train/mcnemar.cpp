#include "engine/train/mcnemar.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace xf {

double mcnemar(const PairedOutcomes& outcomes) {
  const auto fewer = static_cast<double>(std::min(outcomes.only_first, outcomes.only_second));
  const auto all = static_cast<double>(outcomes.only_first + outcomes.only_second);
  // From the largest term of the tail down: the next is k / (all - k + 1) of it.
  double term = std::exp(std::lgamma(all + 1) - std::lgamma(fewer + 1) - std::lgamma(all - fewer + 1) -
                         all * std::log(2.0));
  double tail = 0;
  for (double k = fewer; k >= 0; --k) {
    tail += term;
    term *= k / (all - k + 1);
  }
  return std::min(1.0, 2 * tail);
}

std::vector<double> holm(const std::vector<double>& p) {
  std::vector<size_t> order(p.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return p[a] < p[b]; });
  std::vector<double> adjusted(p.size());
  double largest = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    largest = std::max(largest, static_cast<double>(p.size() - i) * p[order[i]]);
    adjusted[order[i]] = std::min(1.0, largest);
  }
  return adjusted;
}

}  // namespace xf
