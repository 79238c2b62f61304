#include "engine/plan/roofline.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace xf {

namespace {

// Dense peaks at boost clock with sums in f32, from NVIDIA's data sheets and, where those give sparse or
// rounded numbers, white papers: "H100 Tensor Core GPU Architecture" (SXM5, 80 GB HBM3), "A100 Tensor Core
// GPU" (SXM4, 80 GB HBM2e), "Ada GPU Architecture", appendix A (GeForce RTX 4090).
const std::array<std::pair<std::string_view, Gpu>, 3> kGpus{{
    {"h100", {"NVIDIA H100 SXM", 3350e9, 66.9e12, 494.7e12, 989.4e12, 989.4e12}},
    {"a100", {"NVIDIA A100 80GB SXM", 2039e9, 19.5e12, 156e12, 312e12, 312e12}},
    {"rtx4090", {"NVIDIA GeForce RTX 4090", 1008e9, 82.6e12, 82.6e12, 165.2e12, 165.2e12}},
}};

bool is_matrix_product(const Node& n) {
  return n.as<Conv2d>() != nullptr || n.as<ConvBwdData>() != nullptr || n.as<ConvBwdWeights>() != nullptr ||
         n.as<Dense>() != nullptr || n.as<DenseBwdData>() != nullptr || n.as<DenseBwdWeights>() != nullptr;
}

bool reads_weights(const Node& n) {
  return is_matrix_product(n) && n.as<ConvBwdWeights>() == nullptr && n.as<DenseBwdWeights>() == nullptr;
}

/// Arithmetic of an operation. Matrix products exactly, without their epilogues; of the others what one pass
/// over the elements does, a comparison, root or exponential counting as one: memory bounds them by far.
class Flops {
 public:
  explicit Flops(const Node& node) : n_(node) {}

  double operator()(const Normalize&) const { return 2 * out(0); }
  double operator()(const Cast&) const { return 0; }
  double operator()(const Conv2d&) const { return product(out_shape(0), in(1)); }
  double operator()(const ConvBwdData&) const { return product(in_shape(0), in(1)); }
  double operator()(const ConvBwdWeights&) const { return product(in_shape(1), out(0)); }
  double operator()(const Dense&) const { return product(out_shape(0), in(1)); }
  double operator()(const DenseBwdData&) const { return product(in_shape(0), in(1)); }
  double operator()(const DenseBwdWeights&) const { return product(in_shape(1), out(0)); }
  double operator()(const BnAct& op) const {
    const int statistics = op.mode == BnMode::batch ? 3 : 0;
    return in(0) * (statistics + 2 + (has(5) ? 1 : 0) + (op.act != Activation::none ? 1 : 0));
  }
  double operator()(const BnActBwd& op) const {
    const int sums = 5, gradient = op.bn.mode == BnMode::batch ? 4 : 1;
    return in(0) * (sums + gradient + (op.bn.act != Activation::none ? 1 : 0));
  }
  double operator()(const Pool& op) const { return out(0) * op.kernel_h * op.kernel_w; }
  double operator()(const PoolBwd& op) const {
    return in(0) * (op.pool.kind == PoolKind::max ? 1 : op.pool.kernel_h * op.pool.kernel_w);
  }
  double operator()(const GlobalAvgPool&) const { return in(0); }
  double operator()(const GlobalAvgPoolBwd&) const { return in(0); }
  double operator()(const Bias&) const { return out(0); }
  double operator()(const BiasGrad&) const { return in(0); }
  double operator()(const Act&) const { return out(0); }
  double operator()(const ActBwd&) const { return out(0); }
  double operator()(const Add&) const { return out(0) * static_cast<double>(n_.inputs.size() - 1); }
  double operator()(const Concat&) const { return 0; }
  double operator()(const Slice&) const { return 0; }
  double operator()(const Dropout&) const { return 2 * out(0); }
  double operator()(const Softmax&) const { return 5 * in(0); }
  double operator()(const SoftmaxXent&) const { return 7 * in(0); }
  double operator()(const SoftmaxXentBwd&) const { return 2 * in(1); }
  double operator()(const FoldBn&) const { return in(0); }
  double operator()(const Pack&) const { return 0; }
  double operator()(const Accumulate&) const {
    double count = 0;
    for (size_t i = 1; i < n_.inputs.size(); i += 2) count += in(i);
    return count;
  }
  double operator()(const LossSeed&) const { return 1; }
  double operator()(const AllReduce&) const { return 0; }
  double operator()(const AllReduceWait&) const { return 0; }
  double operator()(const Optimize& op) const {
    constexpr size_t kPerTensor = 5;
    constexpr int kScaleAndNorm = 3, kAverage = 3;
    double count = 0;
    for (size_t i = 1; i + 1 < n_.inputs.size(); i += kPerTensor)
      count += in(i) * ((has(i + 1) ? kScaleAndNorm + rule(op) : 0) + (has(i + 4) ? kAverage : 0));
    return count;
  }
  double operator()(const std::monostate&) const { return 0; }

 private:
  static int rule(const Optimize& op) {
    switch (op.kind) {
      case OptimizerKind::sgd: return moments(op) > 0 ? 4 : 2;
      case OptimizerKind::adam:
      case OptimizerKind::adamw:
      case OptimizerKind::adadelta: return 14;
    }
    return 0;
  }
  /// Every element of the weights meets every position of the output.
  static double product(const Shape& positions, double weights) {
    return 2 * static_cast<double>(positions.rows()) * weights;
  }
  [[nodiscard]] bool has(size_t i) const { return i < n_.inputs.size() && n_.inputs[i]; }
  [[nodiscard]] const Shape& in_shape(size_t i) const { return n_.inputs[i].shape(); }
  [[nodiscard]] const Shape& out_shape(size_t o) const { return n_.outputs[o].shape; }
  [[nodiscard]] double in(size_t i) const { return static_cast<double>(in_shape(i).count()); }
  [[nodiscard]] double out(size_t o) const { return static_cast<double>(out_shape(o).count()); }

  const Node& n_;
};

/// The rows of the input that a convolution's windows touch: fewer than all where the stride skips some.
int64_t touched_rows(const Conv2d& op, const Shape& x, const Shape& y) {
  const int64_t h = std::min<int64_t>(x.h, y.h * op.kernel_h), w = std::min<int64_t>(x.w, y.w * op.kernel_w);
  return x.n * h * w;
}

double bytes_of_operand(const Node& n, size_t i) {
  const Value& v = n.inputs[i];
  const Spec& spec = v.spec();
  if (i == 1 && reads_weights(n))
    return static_cast<double>(spec.shape.count()) * static_cast<double>(size_of(n.inputs[0].spec().dtype));
  const auto row = static_cast<double>(spec.shape.c) * static_cast<double>(size_of(spec.dtype));
  if (const auto* conv = n.as<Conv2d>(); conv != nullptr && i == 0)
    return row * static_cast<double>(touched_rows(*conv, spec.shape, n.outputs[0].shape));
  if (const auto* back = n.as<ConvBwdWeights>(); back != nullptr && i == 0)
    return row * static_cast<double>(touched_rows(back->conv, spec.shape, n.inputs[1].shape()));
  return static_cast<double>(spec.bytes());
}

/// How many operations a second the device makes of this kind at most.
double peak(const Gpu& gpu, Precision precision, const Node& n) {
  if (!is_matrix_product(n)) return gpu.f32;
  switch (n.inputs[0].spec().dtype) {
    case DType::bf16: return gpu.bf16;
    case DType::f16: return gpu.f16;
    default: return precision == Precision::tf32 ? gpu.tf32 : gpu.f32;
  }
}

}  // namespace

const Gpu* find_gpu(std::string_view word) {
  for (const auto& [known, gpu] : kGpus)
    if (known == word) return &gpu;
  return nullptr;
}

std::vector<std::string_view> gpu_words() {
  std::vector<std::string_view> words;
  words.reserve(kGpus.size());
  for (const auto& [word, gpu] : kGpus) words.push_back(word);
  return words;
}

std::string_view name(Bound bound) { return bound == Bound::memory ? "memory" : "arithmetic"; }

Work work_of(const Node& node, std::span<const Value> operands) {
  Work work;
  work.flops = std::visit(Flops(node), node.op);
  for (size_t i = 0; i < operands.size(); ++i) {
    const auto before = operands.first(i);
    if (!operands[i] || std::find(before.begin(), before.end(), operands[i]) != before.end()) continue;
    work.bytes +=
        i < node.inputs.size() ? bytes_of_operand(node, i) : static_cast<double>(operands[i].spec().bytes());
  }
  return work;
}

Roof roof(const Gpu& gpu, Precision precision, const Node& node, const Work& work) {
  const double moving = work.bytes / gpu.bytes, computing = work.flops / peak(gpu, precision, node);
  return moving >= computing ? Roof{moving, Bound::memory} : Roof{computing, Bound::arithmetic};
}

Estimate estimate(const Program& program, const Gpu& gpu, Precision precision, int micro_batches) {
  Estimate e;
  const Uses uses(program);
  for (int id = 0; id < program.graph->size(); ++id) {
    const Node& n = program.graph->node(id);
    if (n.source != Source::none || n.as<Concat>() != nullptr || n.as<Slice>() != nullptr) continue;
    EstimatedOp op{id, n.as<Optimize>() != nullptr ? 1 : micro_batches, {}, {}};
    op.work = work_of(n, operands_of(program, id, uses));
    op.roof = roof(gpu, precision, n, op.work);
    e.work.flops += op.runs * op.work.flops;
    e.work.bytes += op.runs * op.work.bytes;
    e.seconds += op.runs * op.roof.seconds;
    e.ops.push_back(op);
  }
  return e;
}

std::vector<EstimatedKind> by_kind(const Program& program, const Estimate& estimate) {
  std::map<std::string_view, EstimatedKind> kinds;
  for (const EstimatedOp& op : estimate.ops) {
    const std::string_view text = op_name(program.graph->node(op.node).op);
    EstimatedKind& kind = kinds[text];
    kind.op = text;
    ++kind.count;
    kind.flops += op.runs * op.work.flops;
    kind.bytes += op.runs * op.work.bytes;
    kind.seconds += op.runs * op.roof.seconds;
    if (op.roof.bound == Bound::memory) kind.memory_seconds += op.runs * op.roof.seconds;
  }
  std::vector<EstimatedKind> sorted;
  sorted.reserve(kinds.size());
  for (const auto& [text, kind] : kinds) sorted.push_back(kind);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const EstimatedKind& a, const EstimatedKind& b) { return a.seconds > b.seconds; });
  return sorted;
}

}  // namespace xf
