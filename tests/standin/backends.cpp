// The op suite's devices in standin-tests: the CUDA backend.

#include "tests/ops/backends.h"

#include <cstdlib>

#include "kernels/cuda/module.h"
#include "tests/support/temporary_folder.h"

namespace xf::test {

namespace {

// Engines that a test timed are no use to anyone.
const TemporaryFolder kCache;
const int kCacheIsTemporary = ::setenv("XDG_CACHE_HOME", kCache.path().c_str(), 1);

}  // namespace

std::vector<std::unique_ptr<Backend>> backends(Determinism determinism) {
  std::vector<std::unique_ptr<Backend>> all;
  all.push_back(xferrun_cuda_module()->make_backend(0, determinism));
  return all;
}

std::vector<std::unique_ptr<TsneBackend>> tsne_backends() {
  std::vector<std::unique_ptr<TsneBackend>> all;
  all.push_back(xferrun_cuda_module()->make_tsne_backend(0));
  return all;
}

}  // namespace xf::test
