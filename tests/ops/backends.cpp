#include "tests/ops/backends.h"

#include "kernels/cpu/backend.h"
#include "kernels/cpu/tsne.h"

namespace xf::test {

std::vector<std::unique_ptr<Backend>> backends(Determinism determinism) {
  std::vector<std::unique_ptr<Backend>> all;
  all.push_back(cpu::make_backend(determinism));
  return all;
}

std::vector<std::unique_ptr<TsneBackend>> tsne_backends() {
  std::vector<std::unique_ptr<TsneBackend>> all;
  all.push_back(cpu::make_tsne_backend());
  return all;
}

}  // namespace xf::test
