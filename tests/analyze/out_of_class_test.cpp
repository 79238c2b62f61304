#include "engine/analyze/out_of_class.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "engine/analyze/separation.h"
#include "engine/core/error.h"
#include "engine/io/hdf5.h"
#include "tests/analyze/mixture.h"
#include "tests/support/temporary_folder.h"

using xf::OutOfClass;
using xf::Points;

namespace {

/// Known classes, in training and held-out images, and a class that nobody knew.
struct Scene {
  Points train, held_out, fresh, stranger;
  std::vector<int32_t> labels;
};

Scene scene(int64_t dims, uint64_t seed) {
  const auto m = xf::test::mixture({400, 300, 200, 100}, dims, 3, seed);
  Scene s;
  std::vector<int64_t> train, held_out, fresh, stranger;
  for (int64_t i = 0; i < m.points.count; ++i) {
    if (i >= 900)
      stranger.push_back(i);
    else
      (i % 3 == 0 ? held_out : i % 3 == 1 ? fresh : train).push_back(i);
  }
  s.train = rows_of(m.points, train);
  s.held_out = rows_of(m.points, held_out);
  s.fresh = rows_of(m.points, fresh);
  s.stranger = rows_of(m.points, stranger);
  for (const int64_t i : train) s.labels.push_back(m.component[static_cast<size_t>(i)]);
  return s;
}

std::vector<double> scores(const OutOfClass& reference, const Points& points) {
  std::vector<double> all;
  for (int64_t i = 0; i < points.count; ++i) all.push_back(reference.score(points.row(i), {}));
  return all;
}

}  // namespace

TEST_CASE("energy is minus log-sum-exp, also of logits whose exponentials overflow") {
  CHECK(xf::energy(std::vector<float>{0, 0, 0, 0}) == doctest::Approx(-std::log(4.0)));
  CHECK(xf::energy(std::vector<float>{1000, 0}) == doctest::Approx(-1000));
}

TEST_CASE("a class that was not in training lies far out, and known ones as far as they should") {
  for (const int64_t dims : {12, 100}) {  // fewer and more than there are axes
    const Scene s = scene(dims, 5);
    const OutOfClass reference(s.train, s.labels, 3, s.held_out, {});
    const auto known = scores(reference, s.fresh), strange = scores(reference, s.stranger);
    CHECK(xf::auroc(known, strange) > 0.95);
    // Calibrated scores of images like the held-out ones are uniform: their mean is 1/2, with a deviation of
    // sqrt(1/12 (1/300 + 1/300)) for as many of each; five of those.
    double mean = 0;
    for (const double x : known) mean += reference.calibrated(x) / static_cast<double>(known.size());
    CHECK(std::abs(mean - 0.5) < 5 * std::sqrt(2.0 / 300 / 12));
    CHECK(reference.calibrated(*std::min_element(strange.begin(), strange.end())) >= 0);
    CHECK(reference.calibrated(1e9) == doctest::Approx(300.0 / 301));
    CHECK(reference.calibrated(-1e9) == 0);
  }
}

TEST_CASE("on points that the axes hold, distance is Mahalanobis's") {
  // Training points at ±1 on each axis around two means: the covariance is diagonal, and with three
  // dimensions of equal variance shrinking leaves it as it is.
  Points train{0, 3, {}};
  std::vector<int32_t> labels;
  for (const float centre : {0.0F, 10.0F})
    for (int axis = 0; axis < 3; ++axis)
      for (const float sign : {-1.0F, 1.0F}) {
        for (int d = 0; d < 3; ++d) train.values.push_back(centre + (d == axis ? sign : 0));
        labels.push_back(centre > 0 ? 1 : 0);
        ++train.count;
      }
  Points held_out{10, 3, {}};
  for (int i = 0; i < 10; ++i) held_out.values.insert(held_out.values.end(), {static_cast<float>(i), 0, 0});
  const OutOfClass reference(train, labels, 2, held_out, {});
  // Variance 1/3: a point at (i, 0, 0) is i sqrt(3) from the first mean, unless the second is nearer; scores
  // are linear in that.
  const double one = reference.score(held_out.row(1), {}), three = reference.score(held_out.row(3), {}),
               five = reference.score(held_out.row(5), {});
  CHECK(three - one == doctest::Approx(five - three).epsilon(1e-4));
  CHECK(three > one);
}

TEST_CASE("the energy counts where there are logits") {
  const Scene s = scene(12, 6);
  Points logits{s.held_out.count, 2, {}};
  xf::Rng rng(1);
  for (int64_t i = 0; i < logits.count; ++i) {
    const auto sure = static_cast<float>(rng.uniform(5, 9));
    logits.values.insert(logits.values.end(), {sure, 0});
  }
  const OutOfClass reference(s.train, s.labels, 3, s.held_out, logits);
  CHECK(reference.logit_dims() == 2);
  const std::vector<float> sure{9, 0}, unsure{1, 0};
  CHECK(reference.score(s.fresh.row(0), unsure) > reference.score(s.fresh.row(0), sure));
}

TEST_CASE("a reference in a file") {
  const xf::test::TemporaryFolder folder;
  const Scene s = scene(100, 8);
  const OutOfClass reference(s.train, s.labels, 3, s.held_out, {});
  reference.write(folder / "reference.h5", "net-1");
  const OutOfClass again = OutOfClass::read(folder / "reference.h5", "net-1");
  CHECK(again.feature_dims() == 100);
  CHECK(again.logit_dims() == 0);
  for (int64_t i = 0; i < 20; ++i) {
    const double score = reference.score(s.stranger.row(i), {});
    CHECK(again.score(s.stranger.row(i), {}) == score);
    CHECK(again.calibrated(score) == reference.calibrated(score));
  }
  CHECK_THROWS_WITH_AS((void)OutOfClass::read(folder / "reference.h5", "net-2"), doctest::Contains("weights"),
                       xf::DataError);
  xf::hdf5::Writer other(folder / "other.h5");
  other.attribute("/", "weights", std::string_view("net-1"));
  other.commit();
  CHECK_THROWS_AS((void)OutOfClass::read(folder / "other.h5", "net-1"), xf::DataError);
}

namespace {

/// Reads a reference of 2 axes, 3 features and 2 classes, in which the dataset `name` holds something else.
void read_damaged(const std::string& name, const std::vector<int64_t>& dims, double value) {
  const xf::test::TemporaryFolder folder;
  xf::hdf5::Writer file(folder / "damaged.h5");
  const auto add = [&](const char* each, const std::vector<int64_t>& usual) {
    const std::vector<int64_t>& of = name == each ? dims : usual;
    int64_t count = 1;
    for (const int64_t d : of) count *= d;
    file.dataset<double>(each, of, std::vector<double>(static_cast<size_t>(count), name == each ? value : 1));
  };
  add("/mean", {3});
  add("/axes", {2, 3});
  add("/class_means", {2, 2});
  add("/whiten", {2, 2});
  add("/held_out_scores", {10});
  add("/scales", {6});
  file.attribute("/", "logits", name == "logits" ? value : 0);
  file.attribute("/", "weights", std::string_view("net"));
  file.commit();
  (void)OutOfClass::read(folder / "damaged.h5", "net");
}

}  // namespace

TEST_CASE("damaged references are refused, and images of another network") {
  CHECK_NOTHROW(read_damaged("", {}, 1));
  for (const char* name : {"/mean", "/axes", "/class_means", "/whiten", "/scales"}) {
    CAPTURE(name);
    CHECK_THROWS_AS(read_damaged(name, {}, 1), xf::DataError);
    CHECK_THROWS_AS(read_damaged(name, {0, 0}, 1), xf::DataError);
    CHECK_THROWS_AS(read_damaged(name, {5}, 1), xf::DataError);
  }
  CHECK_THROWS_AS(read_damaged("/scales", {6}, 0), xf::DataError);
  CHECK_THROWS_AS(read_damaged("/whiten", {2, 2}, std::nan("")), xf::DataError);
  CHECK_THROWS_AS(read_damaged("logits", {}, -1), xf::DataError);
  const Scene s = scene(12, 6);
  const OutOfClass reference(s.train, s.labels, 3, s.held_out, {});
  CHECK_THROWS_AS((void)reference.score(std::vector<float>(11), {}), xf::DataError);
}

TEST_CASE("too few images for a reference; training images that coincide") {
  const Scene s = scene(12, 6);
  Points few = s.held_out;
  few.count = 9;
  CHECK_THROWS_AS(OutOfClass(s.train, s.labels, 3, few, {}), xf::DataError);
  const Points same{4, 2, {1, 1, 1, 1, 1, 1, 1, 1}};
  Points ten{10, 2, {}};
  for (int i = 0; i < 20; ++i) ten.values.push_back(static_cast<float>(i));
  const OutOfClass reference(same, std::vector<int32_t>{0, 0, 0, 0}, 1, ten, {});
  CHECK(std::isfinite(reference.score(ten.row(3), {})));
}
