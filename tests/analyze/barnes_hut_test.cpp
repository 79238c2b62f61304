// Forces by a tree, against those of all pairs.

#include "engine/analyze/barnes_hut.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "engine/analyze/tsne.h"
#include "engine/analyze/tsne_affinities.h"
#include "engine/core/rng.h"
#include "engine/core/threads.h"
#include "kernels/cpu/tsne.h"
#include "tests/ops/reference/tsne.h"

namespace xf::test {
namespace {

struct Case {
  TsneAffinities affinities;
  std::vector<float> map;
};

/// Clusters on the map too, as late iterations have them; on a plane, if asked to; points on one another.
Case made(int64_t count, bool plane) {
  const Points points = clusters(count, 6, 3, 2, 11), on_map = clusters(count, kMapAxes, 7, 8, 12);
  const auto backend = cpu::make_tsne_backend();
  Case c{tsne_affinities(*backend->similarity(points), count, 10, 30), {}};
  for (int64_t a = 0; a < kMapAxes; ++a)
    for (int64_t i = 0; i < count; ++i)
      c.map.push_back(plane && a == 2 ? 0 : on_map.row(i < 20 ? 0 : i)[static_cast<size_t>(a)]);
  return c;
}

/// The difference of two forces as a part of the first, over all points together.
double difference(const std::vector<double>& exact, const std::vector<float>& got) {
  double error = 0, size = 0;
  for (size_t k = 0; k < exact.size(); ++k) {
    error += (got[k] - exact[k]) * (got[k] - exact[k]);
    size += exact[k] * exact[k];
  }
  return std::sqrt(error / size);
}

TEST_CASE("Barnes-Hut: nothing is approximated at an opening of 0") {
  constexpr double kEpsilon = std::numeric_limits<float>::epsilon();
  for (const bool plane : {false, true}) {
    const Case c = made(300, plane);
    TsneForces got;
    barnes_hut_forces(c.affinities, 0)->forces(c.map, got);
    const ForcesReference exact =
        forces_reference(c.affinities, std::vector<double>(c.map.begin(), c.map.end()));
    // Sums of n numbers in f32 in any order, each with the rounding of about 16 operations.
    const auto allowed = [](double size) { return (300 + 16) * kEpsilon * size; };
    CHECK(std::abs(got.normalisation - exact.normalisation) < allowed(exact.normalisation));
    for (size_t k = 0; k < c.map.size(); ++k) {
      CHECK(std::abs(got.repulsion[k] - exact.repulsion[k]) <= allowed(exact.repulsion_size[k]));
      CHECK(std::abs(got.attraction[k] - exact.attraction[k]) <= allowed(exact.attraction_size[k]));
    }
  }
}

// A cube of edge s whose centre of mass is d away holds points that lie up to s * 3^½ elsewhere; what its
// mass at the centre leaves out is of second order in s / d, and so a few times opening² / 10 of its force.
TEST_CASE("Barnes-Hut: the error falls with the square of the opening") {
  for (const bool plane : {false, true}) {
    const Case c = made(1500, plane);
    const ForcesReference exact =
        forces_reference(c.affinities, std::vector<double>(c.map.begin(), c.map.end()));
    for (const double opening : {0.5, 0.25, 0.1}) {
      CAPTURE(opening);
      TsneForces got;
      barnes_hut_forces(c.affinities, opening)->forces(c.map, got);
      CHECK(difference(exact.repulsion, got.repulsion) < opening * opening / 5);
      CHECK(std::abs(got.normalisation / exact.normalisation - 1) < opening * opening / 5);
      CHECK(difference(exact.attraction, got.attraction) < 1e-5);
    }
  }
}

TEST_CASE("Barnes-Hut: the same bits at any number of threads, and points that all lie together") {
  const Case c = made(500, false);
  const int before = threads();
  TsneForces one, three;
  set_threads(1);
  barnes_hut_forces(c.affinities, 0.5)->forces(c.map, one);
  set_threads(3);
  barnes_hut_forces(c.affinities, 0.5)->forces(c.map, three);
  set_threads(before);
  CHECK(one.repulsion == three.repulsion);
  CHECK(one.attraction == three.attraction);
  CHECK(one.normalisation == three.normalisation);
  barnes_hut_forces(c.affinities, 0.5)->forces(std::vector<float>(c.map.size(), 2.0F), one);
  CHECK(one.normalisation == 500 * 499);
  CHECK(one.repulsion == std::vector<float>(c.map.size(), 0.0F));
}

TEST_CASE("Barnes-Hut: a map of it is nearly as good") {
  const Points points = clusters(600, 20, 5, 1, 3);
  TsneOptions o;
  o.iterations = 300;
  /// Says of itself that all pairs take it long.
  class Slow final : public TsneBackend {
   public:
    std::unique_ptr<TsneSimilarity> similarity(const Points& p) override { return cpu_->similarity(p); }
    std::unique_ptr<TsneForceField> exact_forces(const TsneAffinities& a) override {
      return cpu_->exact_forces(a);
    }
    [[nodiscard]] int64_t most_exact_points() const override { return 0; }

   private:
    std::unique_ptr<TsneBackend> cpu_ = cpu::make_tsne_backend();
  } slow;
  const TsneMap exact = tsne(points, o, slow);
  CHECK(exact.repulsion == TsneRepulsion::exact);
  o.most_exact = 599;
  const TsneMap near = tsne(points, o, slow);
  CHECK(near.repulsion == TsneRepulsion::barnes_hut);
  CHECK(near.coordinates.size() == exact.coordinates.size());
  CHECK(near.kl_divergence < 1.1 * exact.kl_divergence);
  CHECK(near.kl_divergence > 0.5 * exact.kl_divergence);
}

}  // namespace
}  // namespace xf::test
