#include "benchmarks/ops/difference.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace xf::bench {
namespace {

/// Half the distance between 1 and the next number.
double unit(DType type) {
  switch (type) {
    case DType::bf16: return 0x1p-8;
    case DType::f16: return 0x1p-11;
    default: return 0x1p-24;
  }
}

}  // namespace

std::string difference(std::span<const float> ours, std::span<const float> theirs, DType type,
                       const Allowed& allowed) {
  const double rounding = allowed.roundings * unit(type);
  const double sum = std::sqrt(allowed.terms) * unit(DType::f32) * allowed.largest;
  for (size_t i = 0; i < ours.size(); ++i) {
    const double a = ours[i], b = theirs[i];
    if (std::isnan(a) && std::isnan(b)) continue;
    const double bound = rounding * std::max(std::abs(a), allowed.partial) + sum;
    if (!(std::abs(a - b) <= bound))
      return fmt::format("element {} is {} by ours and {} by cuDNN's, more than {:.2g} apart", i, a, b,
                         bound);
  }
  return "";
}

}  // namespace xf::bench
