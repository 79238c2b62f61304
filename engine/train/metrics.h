#pragma once
// How good predictions are.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace xf {

/// One image's class probabilities, and the class it has.
struct Prediction {
  int64_t sample = 0;
  int32_t label = 0;
  double loss = 0;                   ///< cross-entropy of the label
  std::vector<float> probabilities;  ///< by class
  /// Where the network was asked for them besides.
  std::vector<float> features = {}, logits = {};
};

/// -log of the label's probability, or of 1e-30 where it underflowed: the mean of losses stays finite.
double cross_entropy(const std::vector<float>& probabilities, int32_t label);

struct ClassMetrics {
  std::string label;
  double precision = 0, recall = 0, f1 = 0;  ///< 0 where their denominator is 0
  int64_t support = 0;                       ///< images of this class
};

/// The predictions whose likeliest class has a probability from `low` to `high`.
struct ReliabilityBin {
  double low = 0, high = 0;
  int64_t images = 0;
  double confidence = 0, accuracy = 0;  ///< means over them; 0 where there are none
};

/// Where 95 % of the values lie.
struct Interval {
  double low = 0, high = 0;
};

/// What becomes of the claims once a temperature corrects them (calibration.h).
struct Calibrated {
  double temperature = 1, ece = 0, loss = 0;
};

/// A fraction with its 95 % confidence interval.
struct Fraction {
  double value = 0, low = 0, high = 0;
};

struct Evaluation {
  int64_t images = 0;
  double loss = 0;              ///< mean cross-entropy
  std::array<double, 5> top{};  ///< top[k-1]: the label is among the k likeliest; ties go to the lower class
  Fraction top1;                ///< with Wilson's score interval (Wilson 1927)
  double macro_f1 = 0;          ///< mean over the classes that have images
  double ece = 0;               ///< expected calibration error (calibration.h)
  std::vector<ReliabilityBin> reliability;
  std::optional<Interval> macro_f1_interval, ece_interval;  ///< evaluate_whole() has them
  std::optional<Calibrated> calibrated;                     ///< likewise, with a temperature
  std::vector<ClassMetrics> classes;
  std::vector<std::vector<int64_t>> confusion;  ///< [true class][predicted class]
};

/// Throws InternalError when a prediction has another number of classes.
Evaluation evaluate(const std::vector<Prediction>& predictions, const std::vector<std::string>& classes);

/// The same with intervals by bootstrap (bootstrap.h), and with what a temperature would make of it.
Evaluation evaluate_whole(const std::vector<Prediction>& predictions, const std::vector<std::string>& classes,
                          std::optional<double> temperature);

/// The classes of one prediction, likeliest first; ties: the lower class number first.
std::vector<int32_t> ranking(const std::vector<float>& probabilities);

/// Wilson's score interval at 95 %.
Fraction wilson(int64_t hits, int64_t trials);

}  // namespace xf
