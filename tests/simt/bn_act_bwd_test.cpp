// kernels/cuda/bn_act_bwd.cu in every order of threads. The numbers here are whole and n a power of two, so
// that every sum is exact and every result the expected one to the bit; rounding is the op suite's to judge.

#include "kernels/cuda/bn_act_bwd.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "engine/core/rng.h"
#include "kernels/cuda/bn_act.h"
#include "tests/simt/guarded.h"
#include "tests/simt/orders.h"

namespace xf::test {
namespace {

struct Case {
  int64_t rows;
  int channels;
  int64_t gap = 0, offset = 0;  // elements between rows, and before the first
};

template <class T>
struct Data {
  explicit Data(const Case& c)
      : dy(c.rows, c.channels, c.channels + c.gap, c.offset),
        x(c.rows, c.channels, c.channels + c.gap, c.offset),
        y(c.rows, c.channels, c.channels + c.gap, c.offset),
        dx(c.rows, c.channels, c.channels + c.gap, c.offset),
        dresidual(c.rows, c.channels, c.channels + c.gap, c.offset),
        gamma(c.channels),
        beta(c.channels),
        mean(c.channels),
        inv_std(c.channels),
        dgamma(c.channels),
        dbeta(c.channels) {
    Rng rng(11);
    const auto whole = [&](double from, double to) {
      return static_cast<float>(std::floor(rng.uniform(from, to)));
    };
    for (int64_t r = 0; r < c.rows; ++r) {
      for (int64_t k = 0; k < c.channels; ++k) {
        dy.set(r, k, T(whole(-4, 5)));
        x.set(r, k, T(whole(-3, 4)));
        y.set(r, k, T(whole(-1, 2)));
      }
    }
    for (int64_t k = 0; k < c.channels; ++k) {
      gamma.set(0, k, whole(1, 4));
      beta.set(0, k, whole(-2, 3));
      mean.set(0, k, whole(-1, 2));
      inv_std.set(0, k, k % 2 == 0 ? 1.0F : 0.5F);
    }
  }
  Guarded<T> dy, x, y, dx, dresidual;
  Guarded<float> gamma, beta, mean, inv_std, dgamma, dbeta;
};

template <class T>
cuda::BnActBwdTensors tensors_of(const Case& c, Data<T>& d) {
  cuda::BnActBwdTensors t;
  t.rows = c.rows;
  t.channels = c.channels;
  t.dtype = dtype_of<T>::value;
  t.act = Activation::relu;
  t.dy = d.dy.data();
  t.x = d.x.data();
  t.y = d.y.data();
  t.dx = d.dx.data();
  t.dresidual = d.dresidual.data();
  t.dy_stride = t.x_stride = t.y_stride = t.dx_stride = t.dresidual_stride = c.channels + c.gap;
  t.gamma = d.gamma.data();
  t.mean = d.mean.data();
  t.inv_std = d.inv_std.data();
  t.beta = d.beta.data();
  t.dgamma = d.dgamma.data();
  t.dbeta = d.dbeta.data();
  return t;
}

void run(const cuda::BnActBwdTensors& t) {
  Guarded<uint8_t> workspace(static_cast<int64_t>(cuda::bn_act_bwd_workspace(t.rows, t.channels)));
  REQUIRE(cuda::bn_act_bwd(t, workspace.data(), nullptr) == 0);
  CHECK(workspace.intact());
}

/// The wrong numbers, of channel k and of all.
template <class T>
int64_t wrong_in(const Case& c, const Data<T>& d, bool by_y, int64_t k) {
  const auto number = [](T v) { return static_cast<double>(static_cast<float>(v)); };
  const double mean = d.mean.get(0, k), inv_std = d.inv_std.get(0, k), gamma = d.gamma.get(0, k);
  std::vector<double> dz, normalised;
  double dbeta = 0, dgamma = 0;
  for (int64_t r = 0; r < c.rows; ++r) {
    normalised.push_back((number(d.x.get(r, k)) - mean) * inv_std);
    const double before =
        by_y ? number(d.y.get(r, k)) : normalised.back() * gamma + static_cast<double>(d.beta.get(0, k));
    dz.push_back(before > 0 ? number(d.dy.get(r, k)) : 0);
    dbeta += dz.back();
    dgamma += dz.back() * normalised.back();
  }
  int64_t wrong = 0;
  for (int64_t r = 0; r < c.rows; ++r) {
    const auto i = static_cast<size_t>(r);
    const double slope = (dbeta + normalised[i] * dgamma) / static_cast<double>(c.rows);
    const auto dx = static_cast<float>(gamma * inv_std * (dz[i] - slope));
    wrong += number(d.dx.get(r, k)) == number(T(dx)) ? 0 : 1;
    wrong += number(d.dresidual.get(r, k)) == dz[i] ? 0 : 1;
  }
  wrong += static_cast<double>(d.dbeta.get(0, k)) == dbeta ? 0 : 1;
  return wrong + (static_cast<double>(d.dgamma.get(0, k)) == dgamma ? 0 : 1);
}

template <class T>
int64_t wrong_in(const Case& c, const Data<T>& d, bool by_y) {
  int64_t wrong = 0;
  for (int64_t k = 0; k < c.channels; ++k) wrong += wrong_in(c, d, by_y, k);
  return wrong;
}

template <class T>
void check(const Case& c) {
  CAPTURE(c.rows);
  CAPTURE(c.channels);
  CAPTURE(c.gap);
  in_every_order([&] {
    for (const bool by_y : {true, false}) {
      Data<T> d(c);
      cuda::BnActBwdTensors t = tensors_of(c, d);
      if (!by_y) t.y = nullptr;
      run(t);
      CHECK(wrong_in(c, d, by_y) == 0);
      for (const Guarded<T>* g : {&d.dy, &d.x, &d.y, &d.dx, &d.dresidual}) CHECK(g->intact());
      for (const Guarded<float>* g : {&d.dgamma, &d.dbeta}) CHECK(g->intact());
    }
  });
}

TEST_CASE_TEMPLATE("the gradient of a batch normalisation, every shape", T, float, bfloat16, float16) {
  check<T>({.rows = 1, .channels = 3});
  check<T>({.rows = 64, .channels = 8});
  check<T>({.rows = 64, .channels = 33, .gap = 5});
  check<T>({.rows = 64, .channels = 64, .gap = 16, .offset = 8});
  check<T>({.rows = 1024, .channels = 24});
  check<T>({.rows = 2048, .channels = 136});  // more splits than one thread's, and two blocks of channels
}

TEST_CASE_TEMPLATE("the sign that x and beta tell is the output's, down to the rounding", T, float,
                   bfloat16) {
  // x gamma + beta is beta's rounding error, or thereabouts. (f16 has no room for the y that this gives.)
  const Case c{.rows = 64, .channels = 40};
  Data<T> d(c);
  Rng rng(12);
  Guarded<float> variance(c.channels);
  for (int64_t k = 0; k < c.channels; ++k) {
    const T x(static_cast<float>(rng.uniform(1, 2)));
    const auto gamma = static_cast<float>(rng.uniform(1, 2));
    for (int64_t r = 0; r < c.rows; ++r) d.x.set(r, k, x);
    d.gamma.set(0, k, gamma);
    d.beta.set(0, k, -(static_cast<float>(x) * gamma));
    d.mean.set(0, k, 0);
    variance.set(0, k, 1);
  }
  cuda::BnActTensors forward;
  forward.rows = c.rows;
  forward.channels = c.channels;
  forward.dtype = dtype_of<T>::value;
  forward.x = d.x.data();
  forward.y = d.y.data();
  forward.x_stride = forward.y_stride = c.channels;
  forward.gamma = d.gamma.data();
  forward.beta = d.beta.data();
  forward.inv_std = d.inv_std.data();
  forward.act = Activation::relu;
  REQUIRE(cuda::bn_act_running(forward, {d.mean.data(), variance.data()}, nullptr) == 0);
  cuda::BnActBwdTensors t = tensors_of(c, d);
  run(t);
  Guarded<T> dx(c.rows, c.channels, c.channels), dresidual(c.rows, c.channels, c.channels);
  t.y = nullptr;
  t.dx = dx.data();
  t.dresidual = dresidual.data();
  run(t);
  CHECK(dx == d.dx);
  CHECK(dresidual == d.dresidual);
  int64_t on = 0;
  for (int64_t k = 0; k < c.channels; ++k) on += static_cast<float>(d.y.get(0, k)) > 0 ? 1 : 0;
  CHECK(on > 0);
  CHECK(on < c.channels);
}

}  // namespace
}  // namespace xf::test
