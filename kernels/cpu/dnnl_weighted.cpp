#include "kernels/cpu/dnnl_weighted.h"

#include <array>

namespace xf::cpu::dnn {

namespace {

std::vector<Argument> arguments_of(const std::vector<Operand>& operands) {
  std::vector<Argument> a;
  a.reserve(operands.size());
  for (const Operand& o : operands) a.push_back(o.argument);
  return a;
}

}  // namespace

WeightedKernel::WeightedKernel(Built built, const std::vector<Operand>& operands, Partition partition,
                               Layout weights)
    : partition_(partition),
      call_(std::move(built), arguments_of(operands), partition.parts),
      weights_(weights) {
  for (const Operand& o : operands) numbers_.push_back(o.number);
}

size_t WeightedKernel::workspace() const { return static_cast<size_t>(partition_.parts) * call_.scratch(); }

void WeightedKernel::run(Stream&, std::span<const Ref> operands, Scratch scratch) {
  std::array<std::byte*, 8> addresses{};
  for (size_t i = 0; i < numbers_.size(); ++i) addresses[i] = operands[static_cast<size_t>(numbers_[i])].data;
  for_each_part(partition_, partition_.parts, [&](int64_t part) {
    call_.run(part, part, {addresses.data(), numbers_.size()},
              scratch.data + static_cast<size_t>(part) * call_.scratch());
  });
}

}  // namespace xf::cpu::dnn
