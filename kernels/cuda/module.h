#pragma once
// What the program and libxferrun_cuda.so agree on. The program starts on machines without any CUDA library
// and loads the module when a GPU is asked for.
//
// One C function is looked up by name. It returns a table whose first two fields the program compares before
// it trusts the rest: both sides must come from one source tree and one compiler, since Backend, strings and
// exceptions cross as C++ objects. The typed errors of engine/core/error.h are thrown across the boundary as
// they are: each side has its own copy of that code, and libstdc++ matches exception types by name. The
// module is never unloaded, so what it made stays valid.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/analyze/tsne_backend.h"
#include "engine/run/backend.h"

namespace xf::cuda {

/// CUDA versions as CUDA counts them: 1000 * major + 10 * minor, 0: none; cuDNN's as cuDNN does: 10000 *
/// major
/// + 100 * minor + patch.
struct Versions {
  int built_with = 0;  ///< the toolkit's headers
  int runtime = 0;     ///< the cudart library that was loaded
  int driver = 0;      ///< the newest CUDA that the driver supports
  int cudnn_built_with = 0;
  int cudnn = 0;  ///< the library that was loaded
};

struct Device {
  std::string name;
  int compute_major = 0, compute_minor = 0;
  uint64_t memory_bytes = 0;
};

/// "13.0"; "none" for 0.
inline std::string version_text(int version) {
  return version == 0 ? "none" : std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

/// "9.19.0".
inline std::string cudnn_version_text(int version) {
  return std::to_string(version / 10000) + "." + std::to_string(version % 10000 / 100) + "." +
         std::to_string(version % 100);
}

struct Module {
  uint32_t abi;       ///< kModuleAbi
  const char* build;  ///< XFERRUN_MODULE_BUILD
  Versions (*versions)();
  /// Throws UnavailableError where there is no driver, or one that is too old.
  std::vector<Device> (*devices)();
  /// Throws UnavailableError where device `index` is not there or below compute capability 7.5, and where
  /// cuDNN is of another major version than this was built with, or older.
  std::unique_ptr<Backend> (*make_backend)(int index, Determinism determinism);
  /// Throws UnavailableError where device `index` is not there or below compute capability 7.5.
  std::unique_ptr<TsneBackend> (*make_tsne_backend)(int index);
};

/// Raised with every change to Module or to what crosses in it (engine/run/backend.h, engine/graph/,
/// engine/analyze/tsne_backend.h).
constexpr uint32_t kModuleAbi = 4;
/// Version and compiler.
#define XFERRUN_MODULE_BUILD XFERRUN_VERSION " " __VERSION__
constexpr const char* kModuleFile = "libxferrun_cuda.so";
constexpr const char* kModuleEntry = "xferrun_cuda_module";

}  // namespace xf::cuda

extern "C" __attribute__((visibility("default"))) const xf::cuda::Module* xferrun_cuda_module();
