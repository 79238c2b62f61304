#include "kernels/cpu/instructions.h"

#include <dnnl.hpp>

namespace xf::cpu {

bool has_bf16() {
  // Each set's number has the bits of the sets that it includes.
  const auto wanted = static_cast<unsigned>(dnnl::cpu_isa::avx512_core_bf16);
  return (static_cast<unsigned>(dnnl::get_effective_cpu_isa()) & wanted) == wanted;
}

}  // namespace xf::cpu
