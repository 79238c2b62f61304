#include "kernels/cuda/devices.h"

#include <cuda_runtime_api.h>
#include <cudnn.h>
#include <fmt/format.h>

#include "engine/core/error.h"
#include "kernels/cuda/check.h"

namespace xf::cuda {
namespace {

constexpr int kLeastCompute = 75;  // the oldest architecture that the module has code for

constexpr const char* kUseCpu = "use --device cpu";

std::string missing_driver(const Versions& v) {
  if (v.driver == 0) return "no NVIDIA driver is loaded";
  return fmt::format("the NVIDIA driver supports CUDA {}, and the runtime here is {}", version_text(v.driver),
                     version_text(v.runtime));
}

}  // namespace

Versions versions() {
  Versions v;
  v.built_with = CUDART_VERSION;
  check(cudaRuntimeGetVersion(&v.runtime), "cudaRuntimeGetVersion");
  check(cudaDriverGetVersion(&v.driver), "cudaDriverGetVersion");
  v.cudnn_built_with = CUDNN_VERSION;
  v.cudnn = static_cast<int>(cudnnGetVersion());
  return v;
}

std::vector<Device> devices() {
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status != cudaSuccess) cudaGetLastError();  // so that the next call does not report it again
  if (status == cudaErrorInsufficientDriver) {
    throw UnavailableError(
        "CUDA", missing_driver(versions()),
        fmt::format("install a driver for CUDA {} or newer, or {}", version_text(CUDART_VERSION), kUseCpu));
  }
  if (status == cudaErrorNoDevice) return {};
  if (status != cudaSuccess) {
    throw UnavailableError("CUDA", cudaGetErrorString(status), kUseCpu);
  }
  std::vector<Device> found;
  for (int i = 0; i < count; ++i) {
    cudaDeviceProp properties{};
    check(cudaGetDeviceProperties(&properties, i), "cudaGetDeviceProperties");
    found.push_back({properties.name, properties.major, properties.minor, properties.totalGlobalMem});
  }
  return found;
}

Device usable_device(int index) {
  const std::vector<Device> all = devices();
  const std::string subject = fmt::format("cuda:{}", index);
  if (index < 0 || static_cast<size_t>(index) >= all.size()) {
    throw UnavailableError(subject, fmt::format("there is no such GPU; {} found", all.size()), kUseCpu);
  }
  const Device& device = all[static_cast<size_t>(index)];
  if (device.compute_major * 10 + device.compute_minor < kLeastCompute) {
    throw UnavailableError(
        subject,
        fmt::format("{} has compute capability {}.{}, and {}.{} is the least", device.name,
                    device.compute_major, device.compute_minor, kLeastCompute / 10, kLeastCompute % 10),
        kUseCpu);
  }
  return device;
}

}  // namespace xf::cuda
