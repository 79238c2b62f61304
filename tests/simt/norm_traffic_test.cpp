// Memory traffic (stated_traffic.h) of batch normalisation, its gradient and folding, and of a bias's
// gradient.

#include <doctest/doctest.h>

#include <vector>

#include "kernels/cuda/bias_grad.h"
#include "kernels/cuda/bn_act.h"
#include "kernels/cuda/bn_act_bwd.h"
#include "kernels/cuda/fold_bn.h"
#include "tests/simt/stated_traffic.h"

namespace xf::test {
namespace {

constexpr int64_t kRows = 2 * 28 * 28;
constexpr int kChannels = 128;
constexpr size_t image_bytes(DType dtype) { return bytes_of(kRows * kChannels, dtype); }

enum class Residual : uint8_t { absent, present };

void bn_act(Memory& m, DType dtype, BnMode mode, Residual residual) {
  cuda::BnActTensors t;
  t.rows = kRows;
  t.channels = kChannels;
  t.dtype = dtype;
  t.x = m("x");
  t.residual = residual == Residual::present ? m("residual") : nullptr;
  t.y = m("y");
  t.x_stride = t.residual_stride = t.y_stride = kChannels;
  t.gamma = m.floats(kChannels);
  t.beta = m.floats(kChannels);
  t.mean = m.floats(kChannels);
  t.inv_std = m.floats(kChannels);
  t.eps = 1e-3F;
  t.act = Activation::relu;
  const cuda::BnRunning running{m.floats(kChannels), m.floats(kChannels), m.floats(kChannels),
                                m.floats(kChannels), 0.1F};
  void* workspace = m.bytes(cuda::bn_act_workspace(kRows, kChannels));
  REQUIRE((mode == BnMode::batch ? cuda::bn_act_batch(t, running, workspace, nullptr)
                                 : cuda::bn_act_running(t, running, nullptr)) == 0);
}

Family bn_act_batch(DType dtype) {
  return {named("bn_act, mode batch", dtype),
          {{"x", image_bytes(dtype), 2, 0}, {"y", image_bytes(dtype), 0, 1}},
          cuda::bn_act_workspace(kRows, kChannels),
          [=](Memory& m) { bn_act(m, dtype, BnMode::batch, Residual::absent); }};
}

Family bn_act_running(DType dtype) {
  const size_t bytes = image_bytes(dtype);
  return {named("bn_act, mode running", dtype),
          {{"x", bytes, 1, 0}, {"residual", bytes, 1, 0}, {"y", bytes, 0, 1}},
          0,
          [=](Memory& m) { bn_act(m, dtype, BnMode::running, Residual::present); }};
}

// What both ways of telling the sign share.
cuda::BnActBwdTensors bn_act_bwd_tensors(Memory& m, DType dtype, BnMode mode) {
  cuda::BnActBwdTensors t;
  t.rows = kRows;
  t.channels = kChannels;
  t.dtype = dtype;
  t.mode = mode;
  t.act = Activation::relu;
  t.dy = m("dy");
  t.x = m("x");
  t.dx = m("dx");
  t.dy_stride = t.x_stride = t.y_stride = t.dx_stride = t.dresidual_stride = kChannels;
  t.gamma = m.floats(kChannels);
  t.beta = m.floats(kChannels);
  t.mean = m.floats(kChannels);
  t.inv_std = m.floats(kChannels);
  return t;
}

void bn_act_bwd(Memory& m, const cuda::BnActBwdTensors& t) {
  void* workspace = m.bytes(cuda::bn_act_bwd_workspace(kRows, kChannels));
  REQUIRE(cuda::bn_act_bwd(t, workspace, nullptr) == 0);
}

Family bn_act_bwd_sign_of_x(DType dtype) {
  const size_t bytes = image_bytes(dtype);
  return {named("bn_act_bwd, sign of x", dtype),
          {{"dy", bytes, 2, 0}, {"x", bytes, 2, 0}, {"dx", bytes, 0, 1}},
          cuda::bn_act_bwd_workspace(kRows, kChannels),
          [=](Memory& m) {
            auto t = bn_act_bwd_tensors(m, dtype, BnMode::batch);
            t.dgamma = m.floats(kChannels);
            t.dbeta = m.floats(kChannels);
            bn_act_bwd(m, t);
          }};
}

Family bn_act_bwd_sign_of_y(DType dtype) {
  const size_t bytes = image_bytes(dtype);
  return {
      named("bn_act_bwd, sign of y, residual", dtype),
      {{"dy", bytes, 2, 0}, {"x", bytes, 2, 0}, {"y", bytes, 2, 0}, {"dx", bytes, 0, 1}, {"dr", bytes, 0, 1}},
      cuda::bn_act_bwd_workspace(kRows, kChannels),
      [=](Memory& m) {
        auto t = bn_act_bwd_tensors(m, dtype, BnMode::batch);
        t.y = m("y");
        t.dresidual = m("dr");
        bn_act_bwd(m, t);
      }};
}

// Frozen: the gradient of the input alone.
Family bn_act_bwd_running(DType dtype) {
  const size_t bytes = image_bytes(dtype);
  return {named("bn_act_bwd, mode running", dtype),
          {{"dy", bytes, 1, 0}, {"x", bytes, 1, 0}, {"dx", bytes, 0, 1}},
          0,
          [=](Memory& m) { bn_act_bwd(m, bn_act_bwd_tensors(m, dtype, BnMode::running)); }};
}

Family bias_grad(DType dtype) {
  return {named("bias_grad", dtype),
          {{"dy", image_bytes(dtype), 1, 0}},
          cuda::bias_grad_workspace(kRows, kChannels),
          [=](Memory& m) {
            const cuda::BiasGradTensors t{kRows, kChannels, dtype, m("dy"), kChannels, m.floats(kChannels)};
            void* workspace = m.bytes(cuda::bias_grad_workspace(kRows, kChannels));
            REQUIRE(cuda::bias_grad(t, workspace, nullptr) == 0);
          }};
}

Family fold_bn(const char* name, int64_t outputs, int64_t taps, double full = kFull) {
  const size_t bytes = bytes_of(outputs * taps, DType::f32);
  return {name, {{"weights", bytes, 1, 0, 1, full}, {"folded", bytes, 0, 1, 1, full}}, 0, [=](Memory& m) {
            cuda::FoldBnTensors t;
            t.outputs = outputs;
            t.taps = taps;
            t.weights = m.tensor("weights");
            t.gamma = m.floats(outputs);
            t.beta = m.floats(outputs);
            t.mean = m.floats(outputs);
            t.variance = m.floats(outputs);
            t.folded = m.tensor("folded");
            t.folded_bias = m.floats(outputs);
            t.eps = 1e-3F;
            REQUIRE(cuda::fold_bn(t, nullptr) == 0);
          }};
}

std::vector<Family> families() {
  std::vector<Family> all = {
      fold_bn("fold_bn, 3 x 3 of 128 channels", 128, 3 * 3 * 128),
      fold_bn("fold_bn, 1 x 1 of 256 channels", 64, 256),
      // An output's 147 weights begin in the middle of a sector, and so does every request of a warp.
      fold_bn("fold_bn, a first layer of 7 x 7 of 3 channels", 64, 7 * 7 * 3, 0.6),
  };
  for (const DType dtype : {DType::f32, DType::bf16}) {
    all.push_back(bn_act_batch(dtype));
    all.push_back(bn_act_running(dtype));
    all.push_back(bn_act_bwd_sign_of_x(dtype));
    all.push_back(bn_act_bwd_sign_of_y(dtype));
    all.push_back(bn_act_bwd_running(dtype));
    all.push_back(bias_grad(dtype));
  }
  return all;
}

TEST_CASE("traffic: batch normalisation and bias gradients touch what they state, in whole sectors") {
  check_traffic(families());
}

}  // namespace
}  // namespace xf::test
