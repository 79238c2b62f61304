// kernels/cuda/tsne.cu in every order of threads: what tiles, splits and warps leave at their edges. The
// numbers of whole maps are checked by tests/ops/tsne_test.cpp.

#include "kernels/cuda/tsne.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "engine/core/rng.h"
#include "tests/simt/guarded.h"
#include "tests/simt/orders.h"

namespace xf::test {
namespace {

constexpr double kEpsilon = std::numeric_limits<float>::epsilon();

/// Whole numbers, whose squared distances are exact.
Guarded<float> whole_points(int64_t count, int64_t dims) {
  Rng rng(3);
  Guarded<float> points(count, dims, dims);
  for (int64_t i = 0; i < count; ++i)
    for (int64_t d = 0; d < dims; ++d) points.set(i, d, static_cast<float>(rng.below(9)) - 4);
  return points;
}

void check_distances(int64_t count, int64_t dims, int64_t first, int64_t rows) {
  CAPTURE(count);
  CAPTURE(dims);
  Guarded<float> points = whole_points(count, dims), expected(rows, count, count);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t j = 0; j < count; ++j) {
      float square = 0;
      for (int64_t d = 0; d < dims; ++d)
        square +=
            (points.get(first + r, d) - points.get(j, d)) * (points.get(first + r, d) - points.get(j, d));
      expected.set(r, j, square);
    }
  in_every_order([&] {
    Guarded<float> squares(rows, count, count);
    REQUIRE(cuda::tsne_distances({count, dims, points.data()}, first, rows, squares.data(), nullptr) == 0);
    CHECK(squares == expected);
    CHECK(squares.intact());
  });
}

TEST_CASE("t-SNE's distances, at the edges of tiles") {
  check_distances(4, 1, 0, 4);
  check_distances(65, 17, 63, 2);
  check_distances(130, 32, 1, 66);
}

TEST_CASE("t-SNE's conditional rows: a distribution with its entropy over the nearest") {
  const int64_t count = 300, rows = 3, first = 2;
  for (const int64_t nearest : {count - 1, int64_t{40}}) {
    CAPTURE(nearest);
    Guarded<float> before(rows, count, count);
    Rng rng(4);
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t j = 0; j < count; ++j) before.set(r, j, static_cast<float>(rng.uniform(1, 5)));
    Guarded<float> one_order(rows, count, count);
    bool have_one = false;
    in_every_order([&] {
      Guarded<float> p(rows, count, count);
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t j = 0; j < count; ++j) p.set(r, j, before.get(r, j));
      const float entropy = std::log(10.0F);
      REQUIRE(cuda::tsne_conditional({first, rows, count, nearest, entropy, p.data()}, nullptr) == 0);
      CHECK(p.intact());
      for (int64_t r = 0; r < rows; ++r) {
        double sum = 0, got = 0;
        int64_t kept = 0;
        float largest_kept = 0, least_left = INFINITY;
        for (int64_t j = 0; j < count; ++j) {
          const float share = p.get(r, j), d = before.get(r, j);
          sum += share;
          if (share > 0) got -= share * std::log(static_cast<double>(share));
          kept += share > 0 ? 1 : 0;
          if (j == first + r) continue;
          if (share > 0) largest_kept = std::max(largest_kept, d);
          if (share == 0) least_left = std::min(least_left, d);
        }
        CHECK(p.get(r, first + r) == 0);
        CHECK((nearest < count - 1 ? kept == nearest : kept <= nearest));  // some are too small for f32
        CHECK(largest_kept < least_left);
        CHECK(std::abs(sum - 1) < static_cast<double>(count) * kEpsilon);
        CHECK(std::abs(got - entropy) < 1e-4);
      }
      if (have_one)
        CHECK(p == one_order);
      else
        one_order = p;
      have_one = true;
    });
  }
}

TEST_CASE("t-SNE's conditional rows: points all as far away have equal shares") {
  constexpr int64_t kCount = 9;
  Guarded<float> p(1, kCount, kCount);
  for (int64_t j = 0; j < kCount; ++j) p.set(0, j, 2);
  REQUIRE(cuda::tsne_conditional({0, 1, kCount, kCount - 1, std::log(3.0F), p.data()}, nullptr) == 0);
  for (int64_t j = 1; j < kCount; ++j) CHECK(p.get(0, j) == 1.0F / (kCount - 1));
}

/// Forces on a map of random points, each akin to the `neighbours` points that follow it; every `step`-th is
/// compared with a plain sum.
void check_forces(int64_t count, int64_t neighbours, int64_t step) {
  CAPTURE(count);
  Rng rng(5);
  Guarded<float> map(3, count, count), p(neighbours * count);
  Guarded<int64_t> begin(count + 1);
  Guarded<int32_t> other(neighbours * count);
  for (int64_t i = 0; i < count; ++i) {
    begin.set(0, i, neighbours * i);
    for (int64_t a = 0; a < 3; ++a) map.set(a, i, static_cast<float>(rng.normal()));
    for (int64_t k = 0; k < neighbours; ++k) {
      other.set(0, neighbours * i + k, static_cast<int32_t>((i + k + 1) % count));
      p.set(0, neighbours * i + k, static_cast<float>(rng.uniform(0, 1)));
    }
  }
  begin.set(0, count, neighbours * count);
  in_every_order([&] {
    Guarded<float> attraction(3, count, count), repulsion(3, count, count), normalisation(count);
    Guarded<uint8_t> workspace(static_cast<int64_t>(cuda::tsne_forces_workspace(count)));
    REQUIRE(cuda::tsne_forces({count, map.data(), begin.data(), other.data(), p.data(), attraction.data(),
                               repulsion.data(), normalisation.data()},
                              workspace.data(), nullptr) == 0);
    for (const auto* t : {&attraction, &repulsion, &normalisation}) CHECK(t->intact());
    CHECK(workspace.intact());
    const double unit = static_cast<double>(count + neighbours + 16) * kEpsilon;  // sums in any order
    double worst = 0;
    const auto compare = [&](double got, double wanted, double size) {
      const double error = std::abs(got - wanted) / (unit * size);
      worst = std::max(worst, std::isnan(error) ? INFINITY : error);
    };
    for (int64_t i = 0; i < count; i += step) {
      double pull[3] = {}, push[3] = {}, size[3] = {}, sum = 0;
      for (int64_t j = 0; j < count; ++j) {
        double difference[3], square = 0;
        for (int64_t a = 0; a < 3; ++a) {
          difference[a] = static_cast<double>(map.get(a, i)) - map.get(a, j);
          square += difference[a] * difference[a];
        }
        const double w = i == j ? 0 : 1 / (1 + square);
        sum += w;
        const int64_t behind = (j - i + count) % count;  // akin: 1 … neighbours
        const double akin = behind >= 1 && behind <= neighbours ? p.get(0, neighbours * i + behind - 1) : 0.0;
        for (int64_t a = 0; a < 3; ++a) {
          pull[a] += akin * w * difference[a];
          push[a] += w * w * difference[a];
          size[a] += (akin + w) * w * std::abs(difference[a]);
        }
      }
      compare(normalisation.get(0, i), sum, sum);
      for (int64_t a = 0; a < 3; ++a) {
        compare(attraction.get(a, i), pull[a], size[a]);
        compare(repulsion.get(a, i), push[a], size[a]);
      }
    }
    CHECK(worst < 1);
  });
}

TEST_CASE("t-SNE's forces, at the edges of tiles, warps and splits") {
  check_forces(4, 3, 1);
  check_forces(127, 33, 1);
  check_forces(129, 40, 1);
  check_forces(300, 3, 1);
}

TEST_CASE("t-SNE's forces, of so many points that a block takes several tiles") { check_forces(5900, 1, 59); }

}  // namespace
}  // namespace xf::test
