#pragma once
// What the program and libxferrun_mpi.so agree on, as kernels/cuda/module.h says of the CUDA module: the
// program starts on machines without MPI, and loads the module when it finds itself one of several ranks.

#include <cstdint>
#include <memory>

#include "engine/dist/comm.h"

namespace xf::mpi {

struct Module {
  uint32_t abi;       ///< kModuleAbi
  const char* build;  ///< XFERRUN_MODULE_BUILD
  /// Joins the ranks that mpirun started, once in a process; destroying it ends MPI, when all ranks do.
  /// Throws UnavailableError.
  std::unique_ptr<Comm> (*make_comm)();
  /// Ends this process and all other ranks with an exit code.
  void (*end_all)(int exit_code);
};

/// Raised with every change to Module or to engine/dist/comm.h.
constexpr uint32_t kModuleAbi = 1;
/// Version and compiler.
#define XFERRUN_MODULE_BUILD XFERRUN_VERSION " " __VERSION__
constexpr const char* kModuleFile = "libxferrun_mpi.so";
constexpr const char* kModuleEntry = "xferrun_mpi_module";

}  // namespace xf::mpi

extern "C" __attribute__((visibility("default"))) const xf::mpi::Module* xferrun_mpi_module();
