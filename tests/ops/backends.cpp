#include "tests/ops/backends.h"

#include "kernels/cpu/backend.h"

namespace xf::test {

std::vector<std::unique_ptr<Backend>> backends(Determinism determinism) {
  std::vector<std::unique_ptr<Backend>> all;
  all.push_back(cpu::make_backend(determinism));
  return all;
}

}  // namespace xf::test
