#include "benchmarks/ops/network_ops.h"

#include <fmt/format.h>

#include <map>

#include "engine/plan/passes.h"
#include "engine/train/train_graph.h"

namespace xf::bench {

namespace {

std::string window(int h, int w, int stride) {
  return fmt::format("{}x{}{}", h, w, stride > 1 ? fmt::format(" s{}", stride) : "");
}

/// What the shapes do not tell.
class Detail {
 public:
  explicit Detail(const std::vector<Value>& operands) : operands_(operands) {}

  std::string operator()(const Conv2d& op) const { return window(op.kernel_h, op.kernel_w, op.stride_h); }
  std::string operator()(const ConvBwdData& op) const { return (*this)(op.conv); }
  std::string operator()(const ConvBwdWeights& op) const { return (*this)(op.conv); }
  std::string operator()(const BnAct& op) const { return bn(op, static_cast<bool>(operands_[5])); }
  std::string operator()(const BnActBwd& op) const { return bn(op.bn, static_cast<bool>(operands_.back())); }
  std::string operator()(const Pool& op) const {
    return fmt::format("{} {}", op.kind == PoolKind::max ? "max" : "average",
                       window(op.kernel_h, op.kernel_w, op.stride_h));
  }
  std::string operator()(const PoolBwd& op) const { return (*this)(op.pool); }
  std::string operator()(const Optimize& op) const {
    return fmt::format("{} {} tensors", name(op.kind), op.tensors.size());
  }
  template <class Op>
  std::string operator()(const Op&) const {
    return "";
  }

 private:
  static std::string bn(const BnAct& op, bool residual) {
    return fmt::format("{}{}", op.act == Activation::relu ? "relu" : "linear", residual ? " residual" : "");
  }
  const std::vector<Value>& operands_;
};

NetworkOp described(const Program& program, int id, const Uses& uses) {
  const Node& n = program.graph->node(id);
  NetworkOp op;
  op.node = id;
  op.op = op_name(n.op);
  op.operands = operands_of(program, id, uses);
  op.detail = std::visit(Detail(op.operands), n.op);
  // The update's first operand is StepParams.
  const Value& x = n.as<Optimize>() != nullptr || n.as<Dropout>() != nullptr ? n.inputs[1] : n.inputs[0];
  op.input = to_string(x.shape());
  op.type = name(x.spec().dtype);
  op.output = to_string(n.outputs[0].shape);
  if (const auto* update = n.as<Optimize>(); update != nullptr) {
    int64_t parameters = 0;
    for (size_t t = 0; t < update->tensors.size(); ++t) parameters += n.inputs[1 + 5 * t].shape().count();
    op.input = op.output = fmt::format("{} numbers", parameters);
  }
  return op;
}

/// Operations of one key cost the same.
std::string key_of(const NetworkOp& op) {
  std::string key = fmt::format("{}/{}", op.op, op.detail);
  for (const Value& v : op.operands)
    key += v ? fmt::format("/{} {}", to_string(v.shape()), name(v.spec().dtype)) : "/-";
  return key;
}

}  // namespace

NetworkOps network_ops(const NetworkSpec& spec, const TrainOptions& train, Precision precision) {
  const TrainGraph recorded = record_training(spec, train.batch, train.update, train.loss);
  NetworkOps result{rewrite(*recorded.graph, recorded.keep, precision), {}};
  const Uses uses(result.program);
  std::map<std::string, size_t> known;
  for (int id = 0; id < result.program.graph->size(); ++id) {
    if (result.program.graph->node(id).source != Source::none) continue;
    NetworkOp op = described(result.program, id, uses);
    const auto [at, is_new] = known.try_emplace(key_of(op), result.ops.size());
    if (is_new)
      result.ops.push_back(std::move(op));
    else
      ++result.ops[at->second].count;
  }
  return result;
}

}  // namespace xf::bench
