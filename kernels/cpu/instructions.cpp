#include "kernels/cpu/instructions.h"

#include <dnnl.hpp>

namespace xf::cpu {

namespace {
bool includes(dnnl::cpu_isa wanted) {
  // Each set's number has the bits of the sets that it includes.
  const auto bits = static_cast<unsigned>(wanted);
  return (static_cast<unsigned>(dnnl::get_effective_cpu_isa()) & bits) == bits;
}
}  // namespace

bool has_avx512() { return includes(dnnl::cpu_isa::avx512_core); }

bool has_bf16() { return includes(dnnl::cpu_isa::avx512_core_bf16); }

}  // namespace xf::cpu
