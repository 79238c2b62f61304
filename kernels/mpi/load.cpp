#include "kernels/mpi/load.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string>
#include <string_view>

#include "engine/core/error.h"
#include "kernels/module_path.h"

namespace xf::mpi {

namespace {

int number_of(const char* variable) {
  const char* text = std::getenv(variable);
  if (text == nullptr) return 0;
  const std::string_view digits(text);
  int n = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), n);
  return error == std::errc{} && end == digits.data() + digits.size() ? n : 0;
}

const Module& load_once() {
  const std::string path = module_path(kModuleFile);
  // Global: MPI loads parts of its own, which look for its names there.
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (library == nullptr)
    throw UnavailableError(
        kModuleFile, fmt::format("cannot be loaded: {}", dlerror()),
        "install Open MPI's libraries and build with its headers, or start one process alone");
  using Entry = const Module* (*)();
  const auto entry = reinterpret_cast<Entry>(dlsym(library, kModuleEntry));
  const Module* module = entry == nullptr ? nullptr : entry();
  if (module == nullptr || module->abi != kModuleAbi ||
      std::string_view(module->build) != XFERRUN_MODULE_BUILD)
    throw UnavailableError(path, "belongs to another build of this program", "build both together");
  return *module;
}

}  // namespace

int launched_ranks() {
  int ranks = number_of("OMPI_COMM_WORLD_SIZE");
  // srun --mpi=pmi2 and --mpi=pmix; without --mpi it starts processes that know nothing of each other.
  if (std::getenv("PMI_RANK") != nullptr) ranks = std::max(ranks, number_of("PMI_SIZE"));
  if (std::getenv("PMIX_RANK") != nullptr) ranks = std::max(ranks, number_of("SLURM_STEP_NUM_TASKS"));
  return std::max(1, ranks);
}

const Module& load_module() {
  static const Module& module = load_once();
  return module;
}

}  // namespace xf::mpi
