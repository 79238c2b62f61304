#include "kernels/cuda/load.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <string>
#include <string_view>

#include "engine/core/error.h"
#include "kernels/module_path.h"

namespace xf::cuda {
namespace {

constexpr const char* kUseCpu = "use --device cpu";

// Without a driver there is nothing to compute on, and the module need not be loaded: CUDA's libraries take
// hundreds of megabytes of memory by being there. The runtime looks for the driver under this name too.
void require_driver() {
  if (dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL) == nullptr)
    throw UnavailableError("CUDA", "no NVIDIA driver is loaded",
                           std::string("install the driver of the GPU, or ") + kUseCpu);
}

const Module& load_once() {
  require_driver();
  const std::string path = module_path(kModuleFile);
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const std::string_view reason = dlerror();
    const bool absent = reason.starts_with(fmt::format("{}: cannot open shared object file", kModuleFile));
    throw UnavailableError(kModuleFile,
                           absent ? "this program was built or installed without its CUDA module"
                                  : fmt::format("cannot be loaded: {}", reason),
                           absent ? std::string("build with nvcc on the PATH, or ") + kUseCpu
                                  : std::string("install the CUDA runtime libraries, or ") + kUseCpu);
  }
  using Entry = const Module* (*)();
  const auto entry = reinterpret_cast<Entry>(dlsym(library, kModuleEntry));
  const Module* module = entry == nullptr ? nullptr : entry();
  if (module == nullptr || module->abi != kModuleAbi ||
      std::string_view(module->build) != XFERRUN_MODULE_BUILD) {
    throw UnavailableError(path, "belongs to another build of this program",
                           std::string("build both together, or ") + kUseCpu);
  }
  return *module;
}

}  // namespace

const Module& load_module() {
  static const Module& module = load_once();
  return module;
}

std::unique_ptr<Backend> make_backend(int index, Determinism determinism) {
  return load_module().make_backend(index, determinism);
}

std::unique_ptr<TsneBackend> make_tsne_backend(int index) { return load_module().make_tsne_backend(index); }

Inventory inventory() {
  const Module& module = load_module();
  return {module.versions(), module.devices()};
}

}  // namespace xf::cuda
