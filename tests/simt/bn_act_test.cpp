// kernels/cuda/bn_act.cu against the definition in double precision.

#include "kernels/cuda/bn_act.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "engine/core/rng.h"
#include "tests/simt/guarded.h"
#include "tests/simt/orders.h"

namespace xf::test {
namespace {

struct Case {
  int64_t rows;
  int channels;
  bool residual = false, gamma = true;
  int64_t gap = 0, offset = 0;  // elements between rows, and before the first
  BnMode mode = BnMode::batch;
  Activation act = Activation::relu;
  double mean = 0.5, deviation = 2;  // of x
};

constexpr float kEps = 1e-3F, kMomentum = 0.25F;

template <class T>
struct Data {
  explicit Data(const Case& c)
      : x(c.rows, c.channels, c.channels + c.gap, c.offset),
        residual(c.rows, c.channels, c.channels + c.gap, c.offset),
        y(c.rows, c.channels, c.channels + c.gap, c.offset),
        gamma(c.channels),
        beta(c.channels),
        running_mean(c.channels),
        running_var(c.channels),
        mean(c.channels),
        inv_std(c.channels),
        new_mean(c.channels),
        new_var(c.channels) {
    Rng rng(7);
    for (int64_t r = 0; r < c.rows; ++r) {
      for (int64_t k = 0; k < c.channels; ++k) {
        x.set(r, k, T(static_cast<float>(c.mean + c.deviation * rng.normal())));
        residual.set(r, k, T(static_cast<float>(rng.normal())));
      }
    }
    for (int64_t k = 0; k < c.channels; ++k) {
      gamma.set(0, k, static_cast<float>(rng.uniform(0.5, 1.5)));
      beta.set(0, k, static_cast<float>(rng.normal()));
      running_mean.set(0, k, static_cast<float>(rng.normal()));
      running_var.set(0, k, static_cast<float>(rng.uniform(0.5, 1.5)));
    }
  }
  Guarded<T> x, residual, y;
  Guarded<float> gamma, beta, running_mean, running_var, mean, inv_std, new_mean, new_var;
};

template <class T>
cuda::BnActTensors tensors_of(const Case& c, Data<T>& d) {
  cuda::BnActTensors t;
  t.rows = c.rows;
  t.channels = c.channels;
  t.dtype = dtype_of<T>::value;
  t.x = d.x.data();
  t.residual = c.residual ? d.residual.data() : nullptr;
  t.y = d.y.data();
  t.x_stride = t.residual_stride = t.y_stride = c.channels + c.gap;
  t.gamma = c.gamma ? d.gamma.data() : nullptr;
  t.beta = d.beta.data();
  t.mean = d.mean.data();
  t.inv_std = d.inv_std.data();
  t.eps = kEps;
  t.act = c.act;
  return t;
}

template <class T>
void run(const Case& c, Data<T>& d) {
  const cuda::BnActTensors t = tensors_of(c, d);
  const cuda::BnRunning running{d.running_mean.data(), d.running_var.data(), d.new_mean.data(),
                                d.new_var.data(), kMomentum};
  if (c.mode == BnMode::running) {
    REQUIRE(cuda::bn_act_running(t, running, nullptr) == 0);
    return;
  }
  Guarded<uint8_t> workspace(static_cast<int64_t>(cuda::bn_act_workspace(c.rows, c.channels)));
  REQUIRE(cuda::bn_act_batch(t, running, workspace.data(), nullptr) == 0);
  CHECK(workspace.intact());
}

// Rounding in the statistics. A thread of these shapes sums at most 22 rows; the sums of squares then cancel
// by at most that factor. At most 16 merges follow, of five roundings each, and the difference of two means
// is off by the means' own rounding: the error grows with mean/deviation (not with its square).
constexpr double kUlp = 0x1p-24, kRows = 22, kMerges = 16 * 5;
double mean_error(double largest) { return (kRows + kMerges) * kUlp * largest; }
double variance_error(double mean, double var) {
  return (kRows * kRows + kMerges) * kUlp * var + kMerges * kUlp * std::abs(mean) * std::sqrt(var);
}

// The worst deviations from the definition, each divided by what rounding explains: all below 1.
struct Deviation {
  double y = 0, mean = 0, inv_std = 0, new_mean = 0, new_var = 0;
};

void widen(double& worst, double got, double expected, double allowed) {
  const double ratio = std::abs(got - expected) / allowed;
  worst = ratio <= worst ? worst : ratio;  // a NaN stays
}

struct Statistics {
  double mean = 0, var = 0, largest = 0;
};

template <class T>
Statistics statistics_of(const Guarded<T>& x, int64_t rows, int64_t k) {
  Statistics s;
  const auto at = [&](int64_t r) { return static_cast<double>(static_cast<float>(x.get(r, k))); };
  for (int64_t r = 0; r < rows; ++r) {
    s.mean += at(r) / static_cast<double>(rows);
    s.largest = std::max(s.largest, std::abs(at(r)));
  }
  for (int64_t r = 0; r < rows; ++r) s.var += std::pow(at(r) - s.mean, 2) / static_cast<double>(rows);
  return s;
}

template <class T>
Deviation compare(const Case& c, const Data<T>& d) {
  constexpr double output_ulp = sizeof(T) == 2 ? 0x1p-8 : kUlp;
  constexpr double tiny = std::numeric_limits<float>::min();
  const bool batch = c.mode == BnMode::batch;
  Deviation worst;
  for (int64_t k = 0; k < c.channels; ++k) {
    const double old_mean = d.running_mean.get(0, k), old_var = d.running_var.get(0, k);
    const Statistics s = batch ? statistics_of(d.x, c.rows, k) : Statistics{old_mean, old_var, 0};
    const double mean_off = batch ? mean_error(s.largest) : 0;
    const double var_off = batch ? variance_error(s.mean, s.var) : 0;
    const double inv_std = 1 / std::sqrt(s.var + kEps);
    const double inv_std_error = var_off / (s.var + kEps) / 2 + 3 * kUlp;
    widen(worst.mean, d.mean.get(0, k), s.mean, mean_off + tiny);
    widen(worst.inv_std, d.inv_std.get(0, k), inv_std, inv_std * inv_std_error + tiny);
    if (batch) {
      const double n = static_cast<double>(c.rows), unbiased = s.var * n / std::max(n - 1, 1.0);
      const auto moved = [](double old, double now) { return (1 - kMomentum) * old + kMomentum * now; };
      const auto moving_error = [](double old, double now) {
        return 3 * kUlp * (std::abs(old) + std::abs(now));
      };
      widen(worst.new_mean, d.new_mean.get(0, k), moved(old_mean, s.mean),
            kMomentum * mean_off + moving_error(old_mean, s.mean));
      widen(worst.new_var, d.new_var.get(0, k), moved(old_var, unbiased),
            kMomentum * 2 * var_off + moving_error(old_var, unbiased));
    }
    const double scale = inv_std * (c.gamma ? static_cast<double>(d.gamma.get(0, k)) : 1.0);
    for (int64_t r = 0; r < c.rows; ++r) {
      const double centred = static_cast<float>(d.x.get(r, k)) - s.mean, beta = d.beta.get(0, k);
      const double more = c.residual ? static_cast<double>(static_cast<float>(d.residual.get(r, k))) : 0.0;
      const double sum = centred * scale + beta + more;
      const double expected = c.act == Activation::relu ? std::max(sum, 0.0) : sum;
      const double terms = std::abs(centred * scale) + std::abs(beta) + std::abs(more);
      const double error = scale * mean_off + std::abs(centred * scale) * inv_std_error + 4 * kUlp * terms;
      widen(worst.y, static_cast<float>(d.y.get(r, k)), expected,
            error + output_ulp * (std::abs(expected) + error));
    }
  }
  return worst;
}

template <class T>
void check(const Case& c) {
  CAPTURE(c.rows);
  CAPTURE(c.channels);
  CAPTURE(c.residual);
  CAPTURE(c.gap);
  CAPTURE(c.offset);
  std::optional<Data<T>> first;
  in_every_order([&] {
    Data<T> d(c);
    run(c, d);
    const Deviation worst = compare(c, d);
    CHECK(worst.y < 1);
    CHECK(worst.mean < 1);
    CHECK(worst.inv_std < 1);
    CHECK(worst.new_mean < 1);
    CHECK(worst.new_var < 1);
    for (const Guarded<T>* g : {&d.x, &d.residual, &d.y}) CHECK(g->intact());
    for (const Guarded<float>* g : {&d.mean, &d.inv_std, &d.new_mean, &d.new_var}) CHECK(g->intact());
    if (!first) first.emplace(d);
    // No order of threads may show in the bits.
    CHECK(first->y == d.y);
    CHECK(first->new_var == d.new_var);
  });
}

TEST_CASE_TEMPLATE("batch statistics, every shape", T, float, bfloat16) {
  for (const int channels : {1, 3, 8, 33, 64}) {
    for (const int64_t rows : {1, 7, 49, 1000}) {
      check<T>({.rows = rows, .channels = channels});
      check<T>({.rows = rows, .channels = channels, .residual = true, .gamma = false, .gap = 5});
    }
  }
}

TEST_CASE_TEMPLATE("running statistics, every shape", T, float, bfloat16) {
  for (const int channels : {1, 3, 8, 33, 64}) {
    for (const int64_t rows : {1, 7, 49, 1000}) {
      check<T>({.rows = rows, .channels = channels, .residual = true, .mode = BnMode::running});
    }
  }
}

TEST_CASE_TEMPLATE("slices of a wider tensor", T, float, bfloat16) {
  for (const BnMode mode : {BnMode::batch, BnMode::running}) {
    // Whole vectors, rows that begin between vectors, and an offset that is not a whole vector.
    check<T>({.rows = 49, .channels = 64, .residual = true, .gap = 16, .offset = 8, .mode = mode});
    check<T>({.rows = 49, .channels = 64, .residual = true, .gap = 3, .mode = mode});
    check<T>({.rows = 49, .channels = 64, .residual = true, .gap = 64, .offset = 2, .mode = mode});
  }
}

TEST_CASE("without activation, and with more rows than one split") {
  check<bfloat16>({.rows = 1030, .channels = 128, .act = Activation::none});  // 33: a thread merges two
  check<float>({.rows = 5000, .channels = 3, .act = Activation::none});
  check<bfloat16>({.rows = 70, .channels = 264, .act = Activation::none});
}

TEST_CASE("a mean far above the deviation") {
  const Case c{.rows = 1000, .channels = 8, .mean = 4096, .deviation = 0.25};
  in_every_order([&] {
    Data<float> d(c);
    run(c, d);
    CHECK(compare(c, d).inv_std < 1);
  });
}

TEST_CASE_TEMPLATE("a NaN in x reaches y and the statistics", T, float, bfloat16) {
  const Case c{.rows = 49, .channels = 8};
  Data<T> d(c);
  d.x.set(17, 2, T(std::numeric_limits<float>::quiet_NaN()));
  run(c, d);
  for (int64_t r = 0; r < c.rows; ++r) {
    CHECK(std::isnan(static_cast<float>(d.y.get(r, 2))));
    CHECK_FALSE(std::isnan(static_cast<float>(d.y.get(r, 3))));
  }
  CHECK(std::isnan(d.mean.get(0, 2)));
  CHECK(std::isnan(d.new_var.get(0, 2)));
}

TEST_CASE("statistics that nobody wants may be absent") {
  for (const BnMode mode : {BnMode::batch, BnMode::running}) {
    const Case c{.rows = 49, .channels = 8, .mode = mode};
    Data<float> full(c), d(c);
    run(c, full);
    cuda::BnActTensors t = tensors_of(c, d);
    t.mean = t.inv_std = nullptr;
    const cuda::BnRunning running{d.running_mean.data(), d.running_var.data(), nullptr, nullptr, kMomentum};
    Guarded<uint8_t> workspace(static_cast<int64_t>(cuda::bn_act_workspace(c.rows, c.channels)));
    REQUIRE((mode == BnMode::batch ? cuda::bn_act_batch(t, running, workspace.data(), nullptr)
                                   : cuda::bn_act_running(t, running, nullptr)) == 0);
    CHECK(d.y == full.y);
    CHECK(workspace.intact());
  }
}

TEST_CASE("y may take the residual's place, and the new running statistics the old ones'") {
  const Case c{.rows = 49, .channels = 8, .residual = true};
  Data<float> apart(c);
  run(c, apart);
  Data<float> d(c);
  cuda::BnActTensors t = tensors_of(c, d);
  t.y = d.residual.data();
  std::vector<float> workspace(cuda::bn_act_workspace(c.rows, c.channels) / sizeof(float));
  float* mean = d.running_mean.data();
  float* var = d.running_var.data();
  REQUIRE(cuda::bn_act_batch(t, {mean, var, mean, var, kMomentum}, workspace.data(), nullptr) == 0);
  CHECK(d.residual == apart.y);
  CHECK(d.running_mean == apart.new_mean);
  CHECK(d.running_var == apart.new_var);
}

}  // namespace
}  // namespace xf::test
