#include "kernels/cuda/load.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <link.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include "engine/core/error.h"

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

// The program, or the shared library, that this code is in.
std::filesystem::path own_file() {
  std::error_code ignored;
  Dl_info here{};
  link_map* object = nullptr;
  const auto* code = reinterpret_cast<const void*>(&own_file);
  const int found = dladdr1(code, &here, reinterpret_cast<void**>(&object), RTLD_DL_LINKMAP);
  // The program itself has no name there.
  if (found != 0 && object != nullptr && *object->l_name != '\0')
    return std::filesystem::canonical(object->l_name, ignored);
  return std::filesystem::read_symlink("/proc/self/exe", ignored);
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

std::string module_path(const char* file) {
  std::error_code ignored;
  const std::filesystem::path folder = own_file().parent_path();
  for (const char* there : {"", "../lib", "xferrun", XFERRUN_MODULES}) {
    const std::filesystem::path path = folder / there / file;
    if (!folder.empty() && std::filesystem::exists(path, ignored)) return path.lexically_normal().string();
  }
  return file;
}

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
