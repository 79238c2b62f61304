#include "benchmarks/ops/op_run.h"

#include "benchmarks/ops/operand_numbers.h"

namespace xf::bench {

OpRun::OpRun(Backend& backend, const Node& node, std::span<const Value> operands, Math math)
    : backend_(backend), stream_(backend.stream(Lane::compute)), kernel_(backend.lower(node, math)) {
  for (size_t i = 0; i < operands.size(); ++i) {
    if (!operands[i]) {
      operands_.emplace_back();
      continue;
    }
    const Spec& spec = operands[i].spec();
    const bool is_input = i < node.inputs.size();
    Buffer buffer = reserve(spec.bytes());
    if (is_input) fill(buffer, node, i);
    const Layout layout = is_input ? kernel_->wants(static_cast<int>(i)) : Layout{};
    if (layout.id != 0) {
      const Buffer packed = reserve(static_cast<size_t>(layout.bytes));
      pack(buffer, spec, layout, packed);
      buffer = packed;
    }
    operands_.push_back({buffer.data.get(), spec, spec.shape.c});
  }
  scratch_ = reserve(kernel_->workspace());
  stream_.synchronize();
}

Buffer OpRun::reserve(size_t bytes) {
  memory_.push_back(backend_.reserve(bytes));
  memory_.back().bytes = bytes;
  return memory_.back();
}

void OpRun::fill(const Buffer& buffer, const Node& node, size_t input) {
  const std::vector<std::byte> bytes = operand_numbers(node, input);
  if (bytes.empty()) return;
  backend_.upload(stream_, buffer.data.get(), bytes.data(), bytes.size());
  stream_.synchronize();
}

void OpRun::pack(const Buffer& plain, const Spec& spec, const Layout& layout, const Buffer& packed) {
  Graph g;
  const Value copy = g.add(Pack{layout.id, layout.bytes}, {g.input("weights", spec)});
  const std::unique_ptr<Kernel> kernel = backend_.lower(g.node(copy));
  const Buffer scratch = backend_.reserve(kernel->workspace());
  const std::vector<Ref> operands{{plain.data.get(), spec, spec.shape.c},
                                  {packed.data.get(), copy.spec(), copy.shape().c}};
  kernel->run(stream_, operands, {scratch.data.get(), kernel->workspace()});
  stream_.synchronize();
}

}  // namespace xf::bench
