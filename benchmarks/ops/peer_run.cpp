#include "benchmarks/ops/peer_run.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <utility>

namespace xf::bench {
namespace {

/// A result of an operation that both sides compute.
struct Result {
  const char* name;
  size_t output;
  Allowed allowed;
};

// Roundings: one on each side, and one for each result on the way that cuDNN's separate calls round. Sums and
// magnitudes: of the numbers in operand_numbers.h, on which a normalised x is at most 1.5, a normalised and
// scaled one at most 3.
std::vector<Result> results_of(const Node& node) {
  if (node.as<BnAct>() != nullptr) {
    const auto rows = static_cast<double>(node.inputs[0].shape().rows());
    return {{"y", 0, {4, 0, rows, 8}},
            {"mean", 1, {2, 0, rows, 2}},
            {"inv_std", 2, {4, 0, rows, 1}},
            {"running_mean", 3, {4, 0, rows, 2}},
            {"running_var", 4, {4, 0, rows, 4}}};
  }
  if (node.as<BnActBwd>() != nullptr) {
    const auto rows = static_cast<double>(node.inputs[0].shape().rows());
    return {{"dx", 0, {2, 0, rows, 4}},
            {"dgamma", 1, {2, 0, rows, 2 * rows}},
            {"dbeta", 2, {2, 0, rows, rows}},
            {"dresidual", 3, {}}};
  }
  if (const auto* pool = node.as<Pool>(); pool != nullptr) {
    if (pool->kind == PoolKind::max) return {{"y", 0, {}}};
    return {{"y", 0, {2, 0, static_cast<double>(pool->kernel_h * pool->kernel_w), 1}}};
  }
  if (const auto* back = node.as<PoolBwd>(); back != nullptr) {
    // So many windows hold a position; cuDNN may add them up in the type of dx.
    const Pool& p = back->pool;
    const double windows = std::ceil(1. * p.kernel_h / p.stride_h) * std::ceil(1. * p.kernel_w / p.stride_w);
    const double partial = p.kind == PoolKind::max ? windows : 1;
    return {{"dx", 0, {windows + 1, windows > 1 ? partial : 0, windows, partial}}};
  }
  if (node.as<GlobalAvgPool>() != nullptr) {
    const Shape& x = node.inputs[0].shape();
    return {{"y", 0, {2, 0, static_cast<double>(x.h * x.w), 1}}};
  }
  if (node.as<GlobalAvgPoolBwd>() != nullptr) return {{"dx", 0, {3, 0, 1, 1}}};  // dy is rounded too
  const size_t probabilities = node.as<SoftmaxXent>() != nullptr ? 1 : 0;
  // Two exponentials of two units each and a division, on each side.
  return {{"probabilities", probabilities, {10, 0, static_cast<double>(node.inputs[0].shape().c), 1}}};
}

/// The operation that the gradient belongs to, recorded in `g`; empty for what is no gradient.
Value operation_of(const Node& gradient, Graph& g) {
  const auto input = [&](const char* name, const Spec& spec) { return g.input(name, spec); };
  if (const auto* back = gradient.as<BnActBwd>(); back != nullptr) {
    const Spec& x = gradient.inputs[1].spec();
    const Spec channels{vector_shape(x.shape.c), DType::f32};
    const Value gamma = gradient.inputs[3] ? input("gamma", channels) : Value();
    // Only a residual makes y necessary.
    const Value residual = gradient.inputs[2] ? input("residual", x) : Value();
    return g.add(back->bn, {input("x", x), gamma, input("beta", channels), input("mean", channels),
                            input("variance", channels), residual});
  }
  if (const auto* back = gradient.as<PoolBwd>(); back != nullptr)
    return g.add(back->pool, {input("x", {back->input, gradient.inputs[0].spec().dtype})});
  if (const auto* back = gradient.as<GlobalAvgPoolBwd>(); back != nullptr)
    return g.add(GlobalAvgPool{}, {input("x", {back->input, back->to})});
  return {};
}

/// All operands of a node.
std::vector<Value> operands_of(const Value& v) {
  const Node& node = v.graph().node(v);
  std::vector<Value> all = node.inputs;
  for (size_t i = 0; i < node.outputs.size(); ++i) all.push_back(Graph::output(v, static_cast<int>(i)));
  return all;
}

/// Which operands of the gradient are which of the operation's.
std::vector<std::pair<size_t, size_t>> shared_operands(const Node& gradient, size_t inputs) {
  if (gradient.as<BnActBwd>() != nullptr)
    return {{1, 0}, {2, inputs}, {3, 1}, {4, inputs + 1}, {5, inputs + 2}, {6, 2}};
  if (gradient.as<PoolBwd>() != nullptr && gradient.inputs.size() > 1) return {{1, inputs + 1}};
  return {};
}

template <class T>
std::vector<float> values(std::span<const std::byte> bytes) {
  std::vector<T> typed(bytes.size() / sizeof(T));
  std::memcpy(typed.data(), bytes.data(), bytes.size());
  std::vector<float> all;
  all.reserve(typed.size());
  for (const T v : typed) all.push_back(static_cast<float>(v));
  return all;
}

template <class T>
std::vector<std::byte> bytes_of(std::span<const float> numbers) {
  std::vector<T> typed;
  typed.reserve(numbers.size());
  for (const float v : numbers) typed.push_back(T(v));
  std::vector<std::byte> bytes(typed.size() * sizeof(T));
  std::memcpy(bytes.data(), typed.data(), bytes.size());
  return bytes;
}

}  // namespace

std::unique_ptr<Peer> peer_of(Peers& peers, const Node& node) {
  Graph g;
  const Value operation = operation_of(node, g);
  return peers.lower(operation ? g.node(operation) : node);
}

PeerRun::PeerRun(Backend& backend, std::unique_ptr<Peer> peer, const Node& node, OpRun& ours)
    : backend_(backend), ours_(ours), peer_(std::move(peer)) {
  if (const Value operation = operation_of(node, graph_))
    begin_gradient(node, operation);
  else
    begin_operation(node);
}

void PeerRun::begin_operation(const Node& node) {
  operands_.assign(ours_.operands().begin(), ours_.operands().end());
  give_results(node, operands_);
  if (node.as<BnAct>() == nullptr) return;
  for (const size_t old : {size_t{3}, size_t{4}})
    if (const Ref& moved = operands_[node.inputs.size() + old]) moved_.emplace_back(operands_[old], moved);
}

void PeerRun::begin_gradient(const Node& node, const Value& operation) {
  const Node& forward = graph_.node(operation);
  forward_ = std::make_unique<OpRun>(backend_, forward, operands_of(operation), Math::f32);
  forward_->once();
  operands_.assign(forward_->operands().begin(), forward_->operands().end());
  Ref& y = operands_[forward.inputs.size()];
  y = converted(y, operands_[0].spec.dtype);
  peer_->forward(operands_);  // y and statistics are cuDNN's from here on, for both
  gradient_.assign(ours_.operands().begin(), ours_.operands().end());
  give_results(node, gradient_);
  gradient_.front() = converted(gradient_.front(), gradient_[node.inputs.size()].spec.dtype);
  for (const auto& [mine, from] : shared_operands(node, forward.inputs.size()))
    if (ours_.operands()[mine]) ours_.bind(mine, operands_[from]);
}

void PeerRun::give_results(const Node& node, std::vector<Ref>& operands) {
  for (const Result& r : results_of(node)) {
    Ref& operand = operands[node.inputs.size() + r.output];
    if (!operand) continue;
    const Ref ours = operand;
    Spec spec = ours.spec;
    if (node.as<GlobalAvgPool>() != nullptr) spec.dtype = operands[0].spec.dtype;
    operand = reserve(spec);
    pairs_.push_back({r.name, ours, operand, r.allowed});
  }
}

void PeerRun::once() {
  gradient_.empty() ? peer_->forward(operands_) : peer_->backward(operands_, gradient_);
}

std::string PeerRun::difference() {
  for (const auto& [from, to] : moved_) write(to, read(from));
  ours_.once();
  once();
  for (const Pair& p : pairs_) {
    const std::string found = bench::difference(read(p.ours), read(p.theirs), p.theirs.spec.dtype, p.allowed);
    if (!found.empty()) return fmt::format("{}: {}", p.name, found);
  }
  return "";
}

Ref PeerRun::reserve(const Spec& spec) {
  memory_.push_back(backend_.reserve(spec.bytes()));
  return {memory_.back().data.get(), spec, spec.shape.c};
}

Ref PeerRun::converted(const Ref& from, DType type) {
  if (from.spec.dtype == type) return from;
  const Ref to = reserve({from.spec.shape, type});
  write(to, read(from));
  return to;
}

std::vector<float> PeerRun::read(const Ref& from) {
  std::vector<std::byte> bytes(from.spec.bytes());
  backend_.download(ours_.stream(), bytes.data(), from.data, bytes.size());
  switch (from.spec.dtype) {
    case DType::bf16: return values<bfloat16>(bytes);
    case DType::f16: return values<float16>(bytes);
    default: return values<float>(bytes);
  }
}

void PeerRun::write(const Ref& to, std::span<const float> numbers) {
  const std::vector<std::byte> bytes = to.spec.dtype == DType::bf16  ? bytes_of<bfloat16>(numbers)
                                       : to.spec.dtype == DType::f16 ? bytes_of<float16>(numbers)
                                                                     : bytes_of<float>(numbers);
  backend_.upload(ours_.stream(), to.data, bytes.data(), bytes.size());
  ours_.stream().synchronize();
}

}  // namespace xf::bench
