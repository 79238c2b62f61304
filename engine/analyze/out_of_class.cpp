#include "engine/analyze/out_of_class.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/core/error.h"
#include "engine/io/hdf5.h"

namespace xf {

namespace {

constexpr const char* kRemedy = "train again, or remove out_of_class.h5: nothing else needs it";
constexpr const char* kWeights = "weights";  // attribute: the id of the weights that the features are of

constexpr double kMostLogits = 1e6;

template <class T>
bool all_finite(const std::vector<T>& values) {
  return std::all_of(values.begin(), values.end(), [](T x) { return std::isfinite(x); });
}

double squared_norm(std::span<const float> v) {
  double sum = 0;
  for (const float x : v) sum += static_cast<double>(x) * x;
  return sum;
}

/// How much of a point the axes do not hold.
double rest_of(const PrincipalAxes& axes, std::span<const float> point, std::span<const float> projected) {
  double all = 0;
  for (size_t d = 0; d < point.size(); ++d) {
    const double centred = point[d] - axes.mean[d];
    all += centred * centred;
  }
  return std::sqrt(std::max(0.0, all - squared_norm(projected)));
}

/// Shrinks a covariance of `n` points towards a multiple of the unit matrix (Chen, Wiesel, Eldar & Hero
/// 2010).
void shrink(std::vector<double>& s, size_t dims, double n) {
  double trace = 0, squares = 0;
  for (size_t a = 0; a < dims; ++a) trace += s[a * dims + a];
  for (const double x : s) squares += x * x;
  const auto p = static_cast<double>(dims);
  const double spread = squares - trace * trace / p;
  const double share =
      spread > 0 ? std::clamp(((1 - 2 / p) * squares + trace * trace) / ((n + 1 - 2 / p) * spread), 0.0, 1.0)
                 : 1.0;
  for (double& x : s) x *= 1 - share;
  // A set of points that coincide has no extent at all; anything is far from it then.
  const double floor = std::max(trace / p, std::numeric_limits<float>::min() * 1.0);
  for (size_t a = 0; a < dims; ++a) s[a * dims + a] += std::max(share, 1e-6) * floor;
}

/// The inverse of the Cholesky factor of a positive definite matrix; both are lower triangular.
std::vector<double> inverse_cholesky(const std::vector<double>& s, size_t n) {
  std::vector<double> l(n * n), inverse(n * n);
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j <= i; ++j) {
      double sum = s[i * n + j];
      for (size_t k = 0; k < j; ++k) sum -= l[i * n + k] * l[j * n + k];
      l[i * n + j] = i == j ? std::sqrt(sum) : sum / l[j * n + j];
    }
  for (size_t j = 0; j < n; ++j) {
    inverse[j * n + j] = 1 / l[j * n + j];
    for (size_t i = j + 1; i < n; ++i) {
      double sum = 0;
      for (size_t k = j; k < i; ++k) sum -= l[i * n + k] * inverse[k * n + j];
      inverse[i * n + j] = sum / l[i * n + i];
    }
  }
  return inverse;
}

/// A vector through a lower triangular matrix.
std::vector<float> whitened(const std::vector<double>& lower, std::span<const float> v) {
  std::vector<float> result(v.size());
  for (size_t i = 0; i < v.size(); ++i) {
    double sum = 0;
    for (size_t k = 0; k <= i; ++k) sum += lower[i * v.size() + k] * v[k];
    result[i] = static_cast<float>(sum);
  }
  return result;
}

/// By class, the mean of its points; rows of classes without any are NaN.
Points class_means(const Points& points, std::span<const int32_t> labels, int32_t classes) {
  std::vector<double> sum(static_cast<size_t>(classes * points.dims)), count(static_cast<size_t>(classes));
  for (int64_t i = 0; i < points.count; ++i) {
    const int32_t c = labels[static_cast<size_t>(i)];
    ++count[static_cast<size_t>(c)];
    for (int64_t d = 0; d < points.dims; ++d)
      sum[static_cast<size_t>(c * points.dims + d)] += points.row(i)[static_cast<size_t>(d)];
  }
  Points means{classes, points.dims, {}};
  for (size_t k = 0; k < sum.size(); ++k)
    means.values.push_back(static_cast<float>(sum[k] / count[k / static_cast<size_t>(points.dims)]));
  return means;
}

Points one(std::span<const float> row) {
  return {1, static_cast<int64_t>(row.size()), std::vector<float>(row.begin(), row.end())};
}

}  // namespace

double energy(std::span<const float> logits) {
  const double most = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float x : logits) sum += std::exp(x - most);
  return -most - std::log(sum);
}

OutOfClass::Scale OutOfClass::scale_of(std::span<const double> values) {
  Scale s;
  const auto n = static_cast<double>(values.size());
  for (const double x : values) s.mean += x / n;
  double squares = 0;
  for (const double x : values) squares += (x - s.mean) * (x - s.mean) / n;
  s.deviation = squares > 0 ? std::sqrt(squares) : 1;
  return s;
}

void OutOfClass::learn_covariance(const Points& projected, std::span<const int32_t> labels) {
  const auto k = static_cast<size_t>(projected.dims);
  std::vector<double> s(k * k);
  for (int64_t i = 0; i < projected.count; ++i) {
    const auto x = projected.row(i), mean = means_.row(labels[static_cast<size_t>(i)]);
    for (size_t a = 0; a < k; ++a)
      for (size_t b = 0; b < k; ++b)
        s[a * k + b] +=
            static_cast<double>(x[a] - mean[a]) * (x[b] - mean[b]) / static_cast<double>(projected.count);
  }
  shrink(s, k, static_cast<double>(projected.count));
  whiten_ = inverse_cholesky(s, k);
  std::vector<float> moved;
  for (int64_t c = 0; c < means_.count; ++c) {
    if (std::isnan(means_.row(c)[0])) continue;  // a class without training images
    const std::vector<float> mean = whitened(whiten_, means_.row(c));
    moved.insert(moved.end(), mean.begin(), mean.end());
  }
  means_ = {static_cast<int64_t>(moved.size() / k), projected.dims, std::move(moved)};
}

void OutOfClass::learn_rest(const Points& held_out) {
  if (axes_.count == axes_.dims) {  // there is none but rounding
    rest_.deviation = std::numeric_limits<double>::infinity();
    return;
  }
  const Points projected = axes_.project(held_out);
  std::vector<double> rest;
  for (int64_t i = 0; i < held_out.count; ++i)
    rest.push_back(rest_of(axes_, held_out.row(i), projected.row(i)));
  rest_ = scale_of(rest);
}

OutOfClass::OutOfClass(const Points& train, std::span<const int32_t> labels, int32_t classes,
                       const Points& held_out, const Points& held_out_logits) {
  constexpr int64_t kAxes = 64;
  if (train.count < 2 || held_out.count < kFewest)
    throw DataError(
        "out-of-class reference",
        fmt::format("{} training and {} held-out images are too few", train.count, held_out.count),
        fmt::format("it takes two and {}", kFewest));
  axes_ = principal_axes(train, kAxes);
  const Points projected = axes_.project(train);
  means_ = class_means(projected, labels, classes);
  learn_covariance(projected, labels);
  learn_rest(held_out);
  std::vector<double> distances, energies;
  for (int64_t i = 0; i < held_out.count; ++i) distances.push_back(distance(held_out.row(i)));
  distance_ = scale_of(distances);
  logit_dims_ = held_out_logits.count > 0 ? held_out_logits.dims : 0;
  if (logit_dims_ > 0) {
    for (int64_t i = 0; i < held_out.count; ++i) energies.push_back(energy(held_out_logits.row(i)));
    energy_ = scale_of(energies);
  }
  for (int64_t i = 0; i < held_out.count; ++i)
    held_out_.push_back(
        score(held_out.row(i), logit_dims_ > 0 ? held_out_logits.row(i) : std::span<const float>()));
  std::sort(held_out_.begin(), held_out_.end());
}

double OutOfClass::distance(std::span<const float> features) const {
  const Points projected = axes_.project(one(features));
  const std::vector<float> x = whitened(whiten_, projected.row(0));
  double nearest = std::numeric_limits<double>::infinity();
  for (int64_t c = 0; c < means_.count; ++c) {
    const auto mean = means_.row(c);
    double squared = 0;
    for (size_t a = 0; a < x.size(); ++a) {
      const double difference = static_cast<double>(x[a]) - mean[a];
      squared += difference * difference;
    }
    nearest = std::min(nearest, squared);
  }
  const double beyond = std::max(0.0, rest_.of(rest_of(axes_, features, projected.row(0))));
  return std::sqrt(nearest + beyond * beyond);
}

double OutOfClass::score(std::span<const float> features, std::span<const float> logits) const {
  const auto is = [](std::span<const float> values, int64_t count) {
    return values.size() == static_cast<size_t>(count);
  };
  if (!is(features, axes_.dims) || (logit_dims_ > 0 && !is(logits, logit_dims_)))
    throw DataError("out-of-class reference",
                    fmt::format("is of {} features and {} logits; the network gives {} and {}", axes_.dims,
                                logit_dims_, features.size(), logits.size()),
                    kRemedy);
  const double far = distance_.of(distance(features));
  return logit_dims_ > 0 ? far + energy_.of(energy(logits)) : far;
}

double OutOfClass::calibrated(double score) const {
  const auto below = std::lower_bound(held_out_.begin(), held_out_.end(), score) - held_out_.begin();
  return static_cast<double>(below) / static_cast<double>(held_out_.size() + 1);
}

void OutOfClass::write(const std::filesystem::path& path, const std::string& weights) const {
  hdf5::Writer file(path);
  const auto vector = [&](const std::string& name, const auto& values) {
    const auto length = static_cast<int64_t>(values.size());
    file.dataset(name, std::span(&length, 1), std::span(values.data(), values.size()));
  };
  const auto matrix = [&](const std::string& name, int64_t rows, const auto& values) {
    const std::vector<int64_t> dims{rows, static_cast<int64_t>(values.size()) / rows};
    file.dataset(name, std::span<const int64_t>(dims), std::span(values.data(), values.size()));
  };
  vector("/mean", axes_.mean);
  matrix("/axes", axes_.count, axes_.axes);
  matrix("/class_means", means_.count, means_.values);
  matrix("/whiten", axes_.count, whiten_);
  vector("/held_out_scores", held_out_);
  vector("/scales", std::vector<double>{rest_.mean, rest_.deviation, distance_.mean, distance_.deviation,
                                        energy_.mean, energy_.deviation});
  file.attribute("/", "logits", static_cast<double>(logit_dims_));
  file.attribute("/", kWeights, std::string_view(weights));
  file.commit();
}

OutOfClass OutOfClass::read(const std::filesystem::path& path, const std::string& weights) {
  const hdf5::File file(path);
  const auto damaged = [&](const std::string& what) { return DataError(path.string(), what, kRemedy); };
  if (file.text("/", kWeights) != weights) throw damaged("is not of the weights beside it");
  const auto matrix = [&](const std::string& name) {
    const std::vector<int64_t> dims = file.dims(name);
    if (dims.size() != 2) throw damaged(name + " is no matrix");
    return Points{dims[0], dims[1], file.read<float>(name)};
  };
  OutOfClass r;
  Points axes = matrix("/axes");
  r.axes_.mean = file.read<float>("/mean");
  r.axes_.dims = static_cast<int64_t>(r.axes_.mean.size());
  r.axes_.count = axes.count;
  r.means_ = matrix("/class_means");
  r.whiten_ = file.read<double>("/whiten");
  r.held_out_ = file.read<double>("/held_out_scores");
  const std::vector<double> scales = file.read<double>("/scales"), logits = file.numbers("/", "logits");
  if (axes.dims != r.axes_.dims || axes.dims < 1 || axes.count < 1 || r.means_.dims != axes.count ||
      r.means_.count < 1 || r.whiten_.size() != static_cast<size_t>(axes.count * axes.count) ||
      scales.size() != 6 || logits.size() != 1)
    throw damaged("holds arrays that do not go together");
  if (!all_finite(axes.values) || !all_finite(r.axes_.mean) || !all_finite(r.means_.values) ||
      !all_finite(r.whiten_) || !all_finite(r.held_out_) ||
      !std::is_sorted(r.held_out_.begin(), r.held_out_.end()))
    throw damaged("holds numbers that are none, or scores that do not ascend");
  for (size_t i = 0; i < scales.size(); i += 2)
    if (!std::isfinite(scales[i]) || !(scales[i + 1] > 0))
      throw damaged("/scales holds numbers that are none");
  if (!(logits[0] >= 0 && logits[0] <= kMostLogits))
    throw damaged("its attribute logits is no number of logits");
  r.axes_.axes = std::move(axes.values);
  r.rest_ = {scales[0], scales[1]};
  r.distance_ = {scales[2], scales[3]};
  r.energy_ = {scales[4], scales[5]};
  r.logit_dims_ = static_cast<int64_t>(logits[0]);
  return r;
}

}  // namespace xf
