#pragma once
// The program's side of the CUDA module.

#include <memory>
#include <string>
#include <vector>

#include "kernels/cuda/module.h"

namespace xf::cuda {

/// The path of a module `file`: beside the executable or in ../lib, where this program's own build or
/// installation put it; else its bare name, for the system's loader to find.
std::string module_path(const char* file);

/// Loads the module, once: libxferrun_cuda.so beside the executable, in ../lib, or where the system's loader
/// finds it. Throws UnavailableError where there is no NVIDIA driver, no module, where a CUDA library that it
/// needs is missing, or where it belongs to another build.
const Module& load_module();

/// A backend on GPU `index`. Throws UnavailableError as load_module() and Module::make_backend do.
std::unique_ptr<Backend> make_backend(int index, Determinism determinism);

/// t-SNE on GPU `index`. Throws UnavailableError as load_module() and Module::make_tsne_backend do.
std::unique_ptr<TsneBackend> make_tsne_backend(int index);

/// What `xferrun devices` lists.
struct Inventory {
  Versions versions;
  std::vector<Device> devices;
};
/// Throws UnavailableError as load_module() and Module::devices do.
Inventory inventory();

}  // namespace xf::cuda
