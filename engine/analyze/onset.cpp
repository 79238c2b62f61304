#include "engine/analyze/onset.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace xf {

namespace {

std::vector<double> known_in_order(std::span<const double> times) {
  std::vector<double> known;
  for (const double t : times)
    if (!std::isnan(t)) known.push_back(t);
  std::sort(known.begin(), known.end());
  return known;
}

/// The log-likelihood of so many events at their own rate, but for what all rates share.
double log_likelihood(double events, double exposure) {
  return events > 0 ? events * std::log(events / exposure) : 0;
}

}  // namespace

std::optional<double> onset(std::span<const double> members, std::span<const double> all) {
  constexpr double kStrays = 0.1;  // at most, of the members and of their rate
  const std::vector<double> own = known_in_order(members), watched = known_in_order(all);
  if (own.empty()) return std::nullopt;
  size_t best = 0;
  double best_likelihood = 0;
  for (size_t i = 0; i < own.size(); ++i) {
    const auto before =
        static_cast<double>(std::lower_bound(watched.begin(), watched.end(), own[i]) - watched.begin());
    const double after = static_cast<double>(watched.size()) - before;
    const auto strays = static_cast<double>(i), rest = static_cast<double>(own.size() - i);
    if (i > 0 &&
        (strays * after > kStrays * rest * before || strays > kStrays * static_cast<double>(own.size())))
      continue;
    const double likelihood = log_likelihood(strays, before) + log_likelihood(rest, after);
    if (i == 0 || likelihood > best_likelihood) {
      best = i;
      best_likelihood = likelihood;
    }
  }
  return own[best];
}

}  // namespace xf
