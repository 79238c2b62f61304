#pragma once
// How good predictions are.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace xf {

/// One image's class probabilities, and the class it has.
struct Prediction {
  int64_t sample = 0;
  int32_t label = 0;
  double loss = 0;                   ///< cross-entropy of the label
  std::vector<float> probabilities;  ///< by class
};

/// -log of the label's probability, or of 1e-30 where it underflowed: the mean of losses stays finite.
double cross_entropy(const std::vector<float>& probabilities, int32_t label);

struct ClassMetrics {
  std::string label;
  double precision = 0, recall = 0, f1 = 0;  ///< 0 where their denominator is 0
  int64_t support = 0;                       ///< images of this class
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
  double ece = 0;               ///< expected calibration error, 15 equal bins (Guo et al. 2017)
  std::vector<ClassMetrics> classes;
  std::vector<std::vector<int64_t>> confusion;  ///< [true class][predicted class]
};

/// Throws InternalError when a prediction has another number of classes.
Evaluation evaluate(const std::vector<Prediction>& predictions, const std::vector<std::string>& classes);

/// The classes of one prediction, likeliest first; ties: the lower class number first.
std::vector<int32_t> ranking(const std::vector<float>& probabilities);

/// Wilson's score interval at 95 %.
Fraction wilson(int64_t hits, int64_t trials);

}  // namespace xf
