// Batch normalisation in training, of cuDNN's layer calls: alone in every type; with rectifier, or residual
// and rectifier, in 16 bits and for channels in fours.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <stdexcept>

#include "tests/standin/cudnn/layers.h"
#include "tests/standin/device.h"

using namespace xf::standin;
using namespace xf::standin::cudnn;

namespace {

bool has_relu(cudnnBatchNormOps_t ops) { return ops != CUDNN_BATCHNORM_OPS_BN; }
bool has_residual(cudnnBatchNormOps_t ops) { return ops == CUDNN_BATCHNORM_OPS_BN_ADD_ACTIVATION; }

void check_supported(cudnnBatchNormMode_t mode, cudnnBatchNormOps_t ops, cudnnTensorDescriptor_t x,
                     cudnnActivationDescriptor_t activation) {
  const cudnnTensorStruct& t = descriptors<cudnnTensorStruct>().at(x);
  require(mode == CUDNN_BATCHNORM_SPATIAL_PERSISTENT, "batch norm: only the persistent mode is emulated",
          CUDNN_STATUS_NOT_SUPPORTED);
  if (!has_relu(ops)) return;
  descriptors<cudnnActivationStruct>().at(activation);
  require(t.type != CUDNN_DATA_FLOAT && t.dims[1] % 4 == 0,
          "batch norm: not fused in f32, or for such channels", CUDNN_STATUS_NOT_SUPPORTED);
}

size_t workspace_bytes(const cudnnTensorStruct& x) { return static_cast<size_t>(x.dims[1]) * 8; }

// What the forward pass keeps: how many elements, then for each whether the rectifier let it through.
size_t reserve_bytes(cudnnBatchNormOps_t ops, const cudnnTensorStruct& x) {
  const int64_t count = x.dims[0] * x.dims[1] * x.dims[2] * x.dims[3];
  return sizeof count + (has_relu(ops) ? static_cast<size_t>(count) : 0);
}

// Memory of a call that is no tensor.
struct Space {
  char* memory;
  size_t bytes;
  Space(const char* name, void* p, size_t given, size_t needed)
      : memory(static_cast<char*>(p)), bytes(needed) {
    require(given >= needed && device_memory().holds(p, needed),
            std::string(name) + " is too small, or elsewhere", CUDNN_STATUS_BAD_PARAM_SIZE_INSUFFICIENT);
  }
};

void keep(const Space& kept, const std::vector<char>& passed, int64_t count) {
  std::memcpy(kept.memory, &count, sizeof count);
  std::copy(passed.begin(), passed.end(), kept.memory + sizeof count);
}

std::vector<char> kept_by(const Space& kept, int64_t count) {
  int64_t of = 0;
  std::memcpy(&of, kept.memory, sizeof of);
  if (of != count)
    throw std::runtime_error("stand-in: batch norm's gradient, and no forward pass went before");
  return {kept.memory + sizeof of, kept.memory + kept.bytes};
}

struct Moments {
  std::vector<double> mean, variance;
};

Moments moments_of(const std::vector<double>& x, size_t channels) {
  const double rows = static_cast<double>(x.size()) / static_cast<double>(channels);
  Moments m{std::vector<double>(channels), std::vector<double>(channels)};
  for (size_t i = 0; i < x.size(); ++i) m.mean[i % channels] += x[i] / rows;
  for (size_t i = 0; i < x.size(); ++i)
    m.variance[i % channels] += std::pow(x[i] - m.mean[i % channels], 2) / rows;
  return m;
}

std::vector<double> moved(const std::vector<double>& old, const std::vector<double>& now, double factor,
                          double scale) {
  std::vector<double> out(old.size());
  for (size_t i = 0; i < old.size(); ++i) out[i] = (1 - factor) * old[i] + factor * scale * now[i];
  return out;
}

}  // namespace

extern "C" {

cudnnStatus_t cudnnGetBatchNormalizationForwardTrainingExWorkspaceSize(
    cudnnHandle_t /*handle*/, cudnnBatchNormMode_t mode, cudnnBatchNormOps_t ops, cudnnTensorDescriptor_t x,
    cudnnTensorDescriptor_t /*z*/, cudnnTensorDescriptor_t /*y*/, cudnnTensorDescriptor_t /*channel*/,
    cudnnActivationDescriptor_t activation, size_t* bytes) {
  return guarded([&] {
    check_supported(mode, ops, x, activation);
    *bytes = workspace_bytes(*x);
  });
}
cudnnStatus_t cudnnGetBatchNormalizationBackwardExWorkspaceSize(
    cudnnHandle_t /*handle*/, cudnnBatchNormMode_t mode, cudnnBatchNormOps_t ops, cudnnTensorDescriptor_t x,
    cudnnTensorDescriptor_t /*y*/, cudnnTensorDescriptor_t /*dy*/, cudnnTensorDescriptor_t /*dz*/,
    cudnnTensorDescriptor_t /*dx*/, cudnnTensorDescriptor_t /*channel*/,
    cudnnActivationDescriptor_t activation, size_t* bytes) {
  return guarded([&] {
    check_supported(mode, ops, x, activation);
    *bytes = workspace_bytes(*x);
  });
}
cudnnStatus_t cudnnGetBatchNormalizationTrainingExReserveSpaceSize(cudnnHandle_t /*handle*/,
                                                                   cudnnBatchNormMode_t mode,
                                                                   cudnnBatchNormOps_t ops,
                                                                   cudnnActivationDescriptor_t activation,
                                                                   cudnnTensorDescriptor_t x, size_t* bytes) {
  return guarded([&] {
    check_supported(mode, ops, x, activation);
    *bytes = reserve_bytes(ops, *x);
  });
}

cudnnStatus_t cudnnBatchNormalizationForwardTrainingEx(
    cudnnHandle_t handle, cudnnBatchNormMode_t mode, cudnnBatchNormOps_t ops, const void* alpha,
    const void* beta, cudnnTensorDescriptor_t x_descriptor, const void* x_memory,
    cudnnTensorDescriptor_t z_descriptor, const void* z_memory, cudnnTensorDescriptor_t y_descriptor,
    void* y_memory, cudnnTensorDescriptor_t channel, const void* scale_memory, const void* bias_memory,
    double factor, void* running_mean_memory, void* running_variance_memory, double epsilon,
    void* mean_memory, void* inv_std_memory, cudnnActivationDescriptor_t activation, void* workspace_memory,
    size_t workspace_size, void* reserve_memory, size_t reserve_size) {
  return guarded([&] {
    check_supported(mode, ops, x_descriptor, activation);
    require(epsilon >= CUDNN_BN_MIN_EPSILON, "batch norm: epsilon");
    const Operand x("x", x_descriptor, x_memory), y("y", y_descriptor, y_memory),
        scale("scale", channel, scale_memory), bias("bias", channel, bias_memory),
        running_mean("running mean", channel, running_mean_memory),
        running_variance("running variance", channel, running_variance_memory),
        mean("mean", channel, mean_memory), inv_std("inverse deviation", channel, inv_std_memory);
    require(x.like(y) && scale.count() == x.channels(), "batch norm: operands differ in shape or type");
    std::vector<Operand> inputs{x, scale, bias};
    std::optional<Operand> z;
    if (has_residual(ops)) inputs.push_back(z.emplace("z", z_descriptor, z_memory));
    const Space workspace("workspace", workspace_memory, workspace_size, workspace_bytes(*x_descriptor)),
        kept("reserve space", reserve_memory, reserve_size, reserve_bytes(ops, *x_descriptor));
    const Blend blend(alpha, beta);
    queue(handle, inputs, {y, running_mean, running_variance, mean, inv_std}, InPlace::no, [=] {
      std::memset(workspace.memory, 0xFF, workspace.bytes);
      std::vector<double> values = x.read();
      const auto channels = static_cast<size_t>(x.channels());
      const double rows = static_cast<double>(values.size()) / static_cast<double>(channels);
      const Moments m = moments_of(values, channels);
      running_mean.write(moved(running_mean.read(), m.mean, factor, 1));
      running_variance.write(moved(running_variance.read(), m.variance, factor, rows / (rows - 1)));
      std::vector<double> inv(channels);
      for (size_t c = 0; c < channels; ++c) inv[c] = 1 / std::sqrt(m.variance[c] + epsilon);
      const std::vector<double> gamma = scale.read(), shift = bias.read(),
                                more = z ? z->read() : std::vector<double>(values.size());
      std::vector<char> passed(has_relu(ops) ? values.size() : 0);
      for (size_t i = 0; i < values.size(); ++i) {
        const size_t c = i % channels;
        values[i] = (values[i] - m.mean[c]) * inv[c] * gamma[c] + shift[c] + more[i];
        if (!has_relu(ops)) continue;
        passed[i] = values[i] > 0 ? 1 : 0;
        if (values[i] <= 0) values[i] = 0;
      }
      mean.write(m.mean);
      inv_std.write(inv);
      keep(kept, passed, x.count());
      write(y, std::move(values), blend);
    });
  });
}

cudnnStatus_t cudnnBatchNormalizationBackwardEx(
    cudnnHandle_t handle, cudnnBatchNormMode_t mode, cudnnBatchNormOps_t ops, const void* alpha_data,
    const void* beta_data, const void* alpha_parameters, const void* beta_parameters,
    cudnnTensorDescriptor_t x_descriptor, const void* x_memory, cudnnTensorDescriptor_t y_descriptor,
    const void* y_memory, cudnnTensorDescriptor_t dy_descriptor, const void* dy_memory,
    cudnnTensorDescriptor_t dz_descriptor, void* dz_memory, cudnnTensorDescriptor_t dx_descriptor,
    void* dx_memory, cudnnTensorDescriptor_t channel, const void* scale_memory, const void* bias_memory,
    void* dscale_memory, void* dbias_memory, double /*epsilon*/, const void* mean_memory,
    const void* inv_std_memory, cudnnActivationDescriptor_t activation, void* workspace_memory,
    size_t workspace_size, void* reserve_memory, size_t reserve_size) {
  return guarded([&] {
    check_supported(mode, ops, x_descriptor, activation);
    const Operand x("x", x_descriptor, x_memory), dy("dy", dy_descriptor, dy_memory),
        dx("dx", dx_descriptor, dx_memory), scale("scale", channel, scale_memory),
        dscale("dscale", channel, dscale_memory), dbias("dbias", channel, dbias_memory),
        mean("mean", channel, mean_memory), inv_std("inverse deviation", channel, inv_std_memory);
    require(dy.like(x) && dx.like(x), "batch norm: operands differ in shape or type");
    std::vector<Operand> inputs{x, dy, scale, mean, inv_std}, outputs{dx, dscale, dbias};
    if (has_relu(ops)) {
      inputs.emplace_back("y", y_descriptor, y_memory);
      inputs.emplace_back("bias", channel, bias_memory);
    }
    std::optional<Operand> dz;
    if (has_residual(ops)) outputs.push_back(dz.emplace("dz", dz_descriptor, dz_memory));
    const Space workspace("workspace", workspace_memory, workspace_size, workspace_bytes(*x_descriptor)),
        kept("reserve space", reserve_memory, reserve_size, reserve_bytes(ops, *x_descriptor));
    const Blend data(alpha_data, beta_data), parameters(alpha_parameters, beta_parameters);
    queue(handle, inputs, outputs, InPlace::no, [=] {
      std::memset(workspace.memory, 0xFF, workspace.bytes);
      const std::vector<char> passed = kept_by(kept, x.count());
      std::vector<double> g = dy.read();
      for (size_t i = 0; i < passed.size(); ++i)
        if (passed[i] == 0) g[i] = 0;
      if (dz) write(*dz, g, data);
      const auto channels = static_cast<size_t>(x.channels());
      const double rows = static_cast<double>(g.size()) / static_cast<double>(channels);
      const std::vector<double> from = x.read(), means = mean.read(), inv = inv_std.read(),
                                gamma = scale.read();
      std::vector<double> sum(channels), product(channels);
      const auto normal = [&](size_t i) { return (from[i] - means[i % channels]) * inv[i % channels]; };
      for (size_t i = 0; i < g.size(); ++i) {
        sum[i % channels] += g[i];
        product[i % channels] += g[i] * normal(i);
      }
      for (size_t i = 0; i < g.size(); ++i) {
        const size_t c = i % channels;
        g[i] = gamma[c] * inv[c] * (g[i] - sum[c] / rows - normal(i) * product[c] / rows);
      }
      write(dbias, sum, parameters);
      write(dscale, product, parameters);
      write(dx, std::move(g), data);
    });
  });
}

}  // extern "C"
