#include "benchmarks/ops/load_peers.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <string_view>

#include "engine/core/error.h"
#include "kernels/cuda/load.h"
#include "kernels/module_path.h"

namespace xf::bench {

std::unique_ptr<Peers> load_peers(Stream& compute) {
  const std::string path = module_path(kPeerModuleFile);
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr)
    throw UnavailableError(kPeerModuleFile, fmt::format("cannot be loaded: {}", dlerror()));
  using Entry = const PeerModule* (*)();
  const auto entry = reinterpret_cast<Entry>(dlsym(library, kPeerModuleEntry));
  const PeerModule* module = entry == nullptr ? nullptr : entry();
  if (module == nullptr || module->abi != cuda::kModuleAbi ||
      std::string_view(module->build) != XFERRUN_MODULE_BUILD)
    throw UnavailableError(path, "belongs to another build of this program");
  return module->open(compute);
}

}  // namespace xf::bench
