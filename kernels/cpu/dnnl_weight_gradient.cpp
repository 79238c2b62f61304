#include "kernels/cpu/dnnl_weight_gradient.h"

#include "engine/core/aligned.h"

#include <algorithm>
#include <array>

namespace xf::cpu::dnn {

namespace {

/// Adds `count` numbers; both arrays are accumulators of the scratch memory.
void add(float* sum, const float* more, size_t count) {
  for (size_t i = 0; i < count; ++i) sum[i] += more[i];
}

}  // namespace

WeightGradient::WeightGradient(Built built, const Operands& operands, const Desc& result, Partition partition)
    : partition_(partition),
      accumulators_(std::min<int64_t>(partition.parts, 4)),
      sum_bytes_(aligned(operands.made.get_size())),
      partial_bytes_(partition.parts > accumulators_ ? sum_bytes_ : 0),
      in_place_(partition.parts == 1 && operands.made == result),
      call_(std::move(built), {operands.x, operands.dy, operands.dw}, accumulators_) {
  if (!in_place_)
    arrange_ = {make_for({}, [&] { return reorder(operands.made, result); }),
                {{DNNL_ARG_FROM, operands.made}, {DNNL_ARG_TO, result}},
                1};
}

size_t WeightGradient::accumulator_bytes() const {
  return call_.scratch() + (in_place_ ? 0 : sum_bytes_ + partial_bytes_);
}

size_t WeightGradient::workspace() const {
  return static_cast<size_t>(accumulators_) * accumulator_bytes() + arrange_.scratch();
}

void WeightGradient::sum_accumulators(std::byte* scratch) const {
  constexpr size_t kChunk = 4096;
  const size_t count = sum_bytes_ / sizeof(float);
  auto* sum = reinterpret_cast<float*>(scratch);
  parallel_for(static_cast<int64_t>((count + kChunk - 1) / kChunk), [&](int64_t chunk) {
    const size_t begin = static_cast<size_t>(chunk) * kChunk;
    for (int64_t a = 1; a < accumulators_; ++a)
      add(sum + begin,
          reinterpret_cast<const float*>(scratch + static_cast<size_t>(a) * accumulator_bytes()) + begin,
          std::min(kChunk, count - begin));
  });
}

void WeightGradient::run(Stream&, std::span<const Ref> operands, Scratch scratch) {
  for_each_part(partition_, accumulators_, [&](int64_t a) {
    // An accumulator's memory: its sum, one part's result, the primitive's scratch.
    std::byte* base = scratch.data + static_cast<size_t>(a) * accumulator_bytes();
    for (int64_t part = a; part < partition_.parts; part += accumulators_) {
      std::byte* target = in_place_ ? operands[2].data : part == a ? base : base + sum_bytes_;
      const std::array addresses{operands[0].data, operands[1].data, target};
      call_.run(a, part, addresses, base + accumulator_bytes() - call_.scratch());
      if (part != a)
        add(reinterpret_cast<float*>(base), reinterpret_cast<const float*>(target),
            sum_bytes_ / sizeof(float));
    }
  });
  if (in_place_) return;
  if (accumulators_ > 1) sum_accumulators(scratch.data);
  const std::array addresses{scratch.data, operands[2].data};
  arrange_.run(0, 0, addresses, scratch.data + static_cast<size_t>(accumulators_) * accumulator_bytes());
}

}  // namespace xf::cpu::dnn
