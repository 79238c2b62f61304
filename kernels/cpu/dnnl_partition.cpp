#include "kernels/cpu/dnnl_partition.h"

#include <algorithm>

namespace xf::cpu::dnn {

Partition Partition::of(int64_t images, Determinism determinism) {
  if (determinism == Determinism::fixed_threads) return {determinism, 1};
  int64_t parts = 1;
  for (int64_t s = 1; s <= images; ++s)
    if (images % s == 0 && images / s >= std::min<int64_t>(images, 8)) parts = s;
  return {determinism, parts};
}

}  // namespace xf::cpu::dnn
