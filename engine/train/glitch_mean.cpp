#include "engine/train/glitch_mean.h"

#include <string_view>
#include <unordered_map>

namespace xf {

namespace {

std::vector<float> mean_of(const std::vector<Prediction>& images, std::vector<float> Prediction::*what) {
  std::vector<double> sum((images.front().*what).size());
  for (const Prediction& p : images)
    for (size_t i = 0; i < sum.size(); ++i) sum[i] += (p.*what)[i];
  std::vector<float> mean;
  mean.reserve(sum.size());
  for (const double x : sum) mean.push_back(static_cast<float>(x / static_cast<double>(images.size())));
  return mean;
}

}  // namespace

Prediction mean_prediction(const std::vector<Prediction>& images) {
  Prediction mean{images.front().sample,
                  images.front().label,
                  0,
                  mean_of(images, &Prediction::probabilities),
                  mean_of(images, &Prediction::features),
                  mean_of(images, &Prediction::logits)};
  mean.loss = cross_entropy(mean.probabilities, mean.label);
  return mean;
}

std::vector<Prediction> mean_by_glitch(const std::vector<Prediction>& predictions,
                                       const std::vector<Sample>& samples) {
  std::vector<std::vector<Prediction>> glitches;
  std::unordered_map<std::string_view, size_t> index;
  for (const Prediction& p : predictions) {
    const auto [it, is_new] = index.emplace(samples[static_cast<size_t>(p.sample)].glitch, glitches.size());
    if (is_new) glitches.emplace_back();
    glitches[it->second].push_back(p);
  }
  std::vector<Prediction> result;
  result.reserve(glitches.size());
  for (const std::vector<Prediction>& images : glitches) result.push_back(mean_prediction(images));
  return result;
}

}  // namespace xf
