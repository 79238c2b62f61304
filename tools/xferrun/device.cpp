#include "tools/xferrun/device.h"

#include <charconv>

#include "engine/core/error.h"
#include "kernels/cpu/backend.h"
#include "kernels/cuda/load.h"

namespace xf::tool {

namespace {
/// The number behind "cuda:", 0 for "cuda" alone, -1 for anything else.
int gpu_index(const std::string& device) {
  if (device == "cuda") return 0;
  if (device.rfind("cuda:", 0) != 0) return -1;
  int index = -1;
  const char *first = device.data() + 5, *last = device.data() + device.size();
  const auto [end, error] = std::from_chars(first, last, index);
  return error == std::errc{} && end == last ? index : -1;
}
}  // namespace

std::unique_ptr<Backend> open_device(const std::string& device, Determinism determinism) {
  if (device == "cpu" || device == "auto") return cpu::make_backend(determinism);
  if (const int index = gpu_index(device); index >= 0) return cuda::make_backend(index, determinism);
  throw UsageError("--device " + device, "is not a device", "choose one of: auto, cpu, cuda, cuda:I");
}

}  // namespace xf::tool
