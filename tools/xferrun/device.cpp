#include "tools/xferrun/device.h"

#include <charconv>

#include "engine/core/error.h"
#include "engine/core/log.h"
#include "kernels/cpu/backend.h"
#include "kernels/cpu/tsne.h"
#include "kernels/cuda/load.h"

namespace xf::tool {

namespace {

/// What `on_gpu` makes on the GPU that the word names, or `on_cpu`.
template <class OnGpu, class OnCpu>
auto open(const std::string& device, int first, const OnGpu& on_gpu, const OnCpu& on_cpu) {
  const bool any = device == "auto";
  const std::optional<int> gpu = any || device == "cuda" ? first : parse_device(device);
  if (!gpu) return on_cpu();
  try {
    return on_gpu(*gpu);
  } catch (const UnavailableError& e) {
    if (any) {
      log::info("--device auto: the CPU ({})", e.what());
      return on_cpu();
    }
    throw UnavailableError("--device " + device, e.what(), e.remedy());
  }
}

}  // namespace

std::optional<int> parse_device(const std::string& device) {
  if (device == "cpu" || device == "auto") return std::nullopt;
  if (device == "cuda") return 0;
  const std::string prefix = "cuda:";
  int index = -1;
  const char* end = device.data() + device.size();
  if (device.starts_with(prefix) && std::from_chars(device.data() + prefix.size(), end, index).ptr == end &&
      index >= 0)
    return index;
  throw UsageError("--device " + device, "is not a device", "choose one of: auto, cpu, cuda, cuda:I");
}

std::unique_ptr<Backend> open_device(const std::string& device, Determinism determinism, int first) {
  return open(
      device, first, [&](int gpu) { return cuda::make_backend(gpu, determinism); },
      [&] { return cpu::make_backend(determinism); });
}

std::unique_ptr<TsneBackend> open_tsne_device(const std::string& device) {
  return open(device, 0, cuda::make_tsne_backend, cpu::make_tsne_backend);
}

}  // namespace xf::tool
