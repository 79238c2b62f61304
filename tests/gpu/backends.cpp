// The op suite's devices in gpu-tests: the first GPU, where there is one.

#include "tests/ops/backends.h"

#include <fmt/format.h>

#include <functional>

#include "engine/core/error.h"
#include "kernels/cuda/load.h"

namespace xf::test {

namespace {

/// What `make` makes on the first GPU; nothing, with a line that says why, where there is none.
template <class Made>
std::vector<std::unique_ptr<Made>> on_first_gpu(const std::function<std::unique_ptr<Made>()>& make) {
  std::vector<std::unique_ptr<Made>> all;
  try {
    all.push_back(make());
  } catch (const UnavailableError& e) {
    static const bool told = [&] {
      fmt::print("skipped: no GPU to run on: {}\n", e.what());
      return true;
    }();
    static_cast<void>(told);
  }
  return all;
}

}  // namespace

std::vector<std::unique_ptr<Backend>> backends(Determinism determinism) {
  return on_first_gpu<Backend>([&] { return cuda::make_backend(0, determinism); });
}

std::vector<std::unique_ptr<TsneBackend>> tsne_backends() {
  return on_first_gpu<TsneBackend>([] { return cuda::make_tsne_backend(0); });
}

}  // namespace xf::test
