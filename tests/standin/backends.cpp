// The op suite's devices in standin-tests: the CUDA backend.

#include "tests/ops/backends.h"

#include "kernels/cuda/module.h"

namespace xf::test {

std::vector<std::unique_ptr<Backend>> backends(Determinism determinism) {
  std::vector<std::unique_ptr<Backend>> all;
  all.push_back(xferrun_cuda_module()->make_backend(0, determinism));
  return all;
}

}  // namespace xf::test
