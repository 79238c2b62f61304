#include "tools/xferrun/device.h"

#include <charconv>

#include "engine/core/error.h"
#include "engine/core/log.h"
#include "kernels/cpu/backend.h"
#include "kernels/cuda/load.h"

namespace xf::tool {

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

std::unique_ptr<Backend> open_device(const std::string& device, Determinism determinism) {
  const bool any = device == "auto";
  const std::optional<int> gpu = any ? 0 : parse_device(device);
  if (!gpu) return cpu::make_backend(determinism);
  try {
    return cuda::make_backend(*gpu, determinism);
  } catch (const UnavailableError& e) {
    if (any) {
      log::info("--device auto: the CPU ({})", e.what());
      return cpu::make_backend(determinism);
    }
    throw UnavailableError("--device " + device, e.what(), e.remedy());
  }
}

}  // namespace xf::tool
