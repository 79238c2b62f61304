#include <dnnl.h>
#include <fmt/format.h>

#include <fstream>

#include "kernels/cpu/backend.h"

namespace xf::cpu {

LibraryVersion library_version() {
  const dnnl_version_t* v = dnnl_version();
  return {fmt::format("{}.{}.{}", DNNL_VERSION_MAJOR, DNNL_VERSION_MINOR, DNNL_VERSION_PATCH),
          fmt::format("{}.{}.{}", v->major, v->minor, v->patch)};
}

Processor processor() {
  Processor p{"unknown", {}};
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);)
    if (line.rfind("model name", 0) == 0) {
      p.name = line.substr(line.find(':') + 2);
      break;
    }
  if (__builtin_cpu_supports("avx2") != 0) p.instruction_sets.emplace_back("AVX2");
  if (__builtin_cpu_supports("avx512f") != 0) p.instruction_sets.emplace_back("AVX512");
  if (__builtin_cpu_supports("avx512bf16") != 0) p.instruction_sets.emplace_back("AVX512_BF16");
  return p;
}

}  // namespace xf::cpu
