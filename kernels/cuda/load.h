#pragma once
// The program's side of the CUDA module.

#include <memory>
#include <string>
#include <vector>

#include "kernels/cuda/module.h"

namespace xf::cuda {

/// Loads the module, once: libxferrun_cuda.so, where module_path() finds it. Throws UnavailableError where
/// there is no NVIDIA driver, no module, where a CUDA library that it needs is missing, or where it belongs
/// to another build.
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
