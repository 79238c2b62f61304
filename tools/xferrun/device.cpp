#include "tools/xferrun/device.h"

#include "engine/core/error.h"
#include "kernels/cpu/backend.h"

namespace xf::tool {

std::unique_ptr<Backend> open_device(const std::string& device, Determinism determinism) {
  if (device == "cpu" || device == "auto") return cpu::make_backend(determinism);
  throw UsageError("--device " + device, "is not a device", "choose one of: auto, cpu, cuda, cuda:I");
}

}  // namespace xf::tool
