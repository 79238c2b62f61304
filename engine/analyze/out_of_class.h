#pragma once
// Whether an image is of none of the classes that a network was trained on.

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "engine/analyze/points.h"
#include "engine/analyze/principal_axes.h"

namespace xf {

/// What is known of the classes: where their training images lie, and how far out images of theirs lie that
/// no training saw. Two signs are added up, each in deviations of the held-out images from their mean:
///   distance: Mahalanobis to the nearest class mean on up to 64 principal axes, with one covariance of all
///             classes (Lee et al. 2018) shrunk as Chen et al. 2010 do (OAS); and what the axes do not hold
///             of the image, in deviations of the held-out images beyond their mean, as one coordinate
///             more.
///   energy:   minus log-sum-exp of the logits (Liu et al. 2020); left out where there are none.
class OutOfClass {
 public:
  /// `labels` are of the training images, 0 … classes-1. Logits have no rows, or those of the held-out
  /// images. Throws DataError with fewer than kFewest held-out images, or a single training image.
  OutOfClass(const Points& train, std::span<const int32_t> labels, int32_t classes, const Points& held_out,
             const Points& held_out_logits);
  static constexpr int64_t kFewest = 10;  ///< held-out images
  /// Throws DataError for a file that is none or is damaged, or belongs to other weights than `weights`.
  static OutOfClass read(const std::filesystem::path& path, const std::string& weights);
  /// Throws WriteError.
  void write(const std::filesystem::path& path, const std::string& weights) const;

  /// Both signs, added: the higher the farther out. `logits` are ignored where the reference has none. Throws
  /// DataError for other numbers of features or logits than the reference's.
  [[nodiscard]] double score(std::span<const float> features, std::span<const float> logits) const;
  /// Which share of images of the known classes lies less far out than this score: above 0.99, say, where
  /// fewer than one in a hundred lies farther out. 1 - (held-out images at or above + 1) / (held-out + 1).
  [[nodiscard]] double calibrated(double score) const;
  /// Numbers of a row of features, of logits (0: not used).
  [[nodiscard]] int64_t feature_dims() const { return axes_.dims; }
  [[nodiscard]] int64_t logit_dims() const { return logit_dims_; }

 private:
  OutOfClass() = default;
  [[nodiscard]] double distance(std::span<const float> features) const;
  void learn_covariance(const Points& projected, std::span<const int32_t> labels);
  void learn_rest(const Points& held_out);

  struct Scale {
    double mean = 0, deviation = 1;
    [[nodiscard]] double of(double x) const { return (x - mean) / deviation; }
  };
  static Scale scale_of(std::span<const double> values);

  PrincipalAxes axes_;
  Points means_;  // (classes, axes), whitened
  std::vector<double>
      whiten_;  // (axes, axes), lower triangular: the inverse of the covariance's Cholesky factor
  Scale rest_, distance_, energy_;
  int64_t logit_dims_ = 0;
  std::vector<double> held_out_;  // scores, ascending
};

/// Minus log-sum-exp.
double energy(std::span<const float> logits);

}  // namespace xf
