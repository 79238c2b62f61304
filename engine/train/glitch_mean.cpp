#include "engine/train/glitch_mean.h"

#include <string_view>
#include <unordered_map>

namespace xf {

std::vector<Prediction> mean_by_glitch(const std::vector<Prediction>& predictions,
                                       const std::vector<Sample>& samples) {
  std::vector<Prediction> result;
  std::vector<std::vector<double>> sums;
  std::vector<double> counts;
  std::unordered_map<std::string_view, size_t> index;
  for (const Prediction& p : predictions) {
    const std::string_view glitch = samples[static_cast<size_t>(p.sample)].glitch;
    const auto [it, is_new] = index.emplace(glitch, result.size());
    if (is_new) {
      result.push_back({p.sample, p.label, 0, {}});
      sums.emplace_back(p.probabilities.size());
      counts.push_back(0);
    }
    std::vector<double>& sum = sums[it->second];
    for (size_t c = 0; c < sum.size(); ++c) sum[c] += p.probabilities[c];
    ++counts[it->second];
  }
  for (size_t i = 0; i < result.size(); ++i) {
    for (const double sum : sums[i]) result[i].probabilities.push_back(static_cast<float>(sum / counts[i]));
    result[i].loss = cross_entropy(result[i].probabilities, result[i].label);
  }
  return result;
}

}  // namespace xf
