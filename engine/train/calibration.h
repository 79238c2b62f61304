#pragma once
// Whether a network is right as often as it claims to be, and what corrects its claims.

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/train/metrics.h"

namespace xf {

/// Fifteen bins of equal width (C. Guo et al., "On Calibration of Modern Neural Networks", ICML 2017).
std::vector<ReliabilityBin> reliability(const std::vector<Prediction>& predictions);

/// The expected calibration error: |accuracy - confidence| of each bin, weighted by its share of the images.
double calibration_error(const std::vector<ReliabilityBin>& bins);

/// The temperature that the scores before softmax are best divided by: it makes the likelihood of the labels
/// largest (Guo et al.). Above 1: the network claims too much. To be found on images that neither trained it
/// nor test it. Nothing where there is no best one: every label is its image's likeliest class already, or
/// there are no predictions.
std::optional<double> fit_temperature(const std::vector<Prediction>& predictions);

/// The same predictions with their scores divided by a temperature: other probabilities, the same ranking.
std::vector<Prediction> with_temperature(std::vector<Prediction> predictions, double temperature);

}  // namespace xf
