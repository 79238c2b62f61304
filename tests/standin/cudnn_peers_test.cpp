// bench-ops beside cuDNN: its own calls compute what our kernels do, and where they do not, that is noticed.

#include <doctest/doctest.h>

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "benchmarks/ops/peer_run.h"
#include "engine/core/error.h"
#include "kernels/cuda/module.h"

namespace xf::test {
namespace {

using bench::OpRun;
using bench::Peer;
using bench::PeerRun;
using bench::Peers;

/// Records one operation, or a gradient, with activations of a type.
using Record = std::function<Value(Graph&, DType)>;

/// All operands of a node, but for the residual's gradient where there was none.
std::vector<Value> operands_of(const Value& v) {
  const Node& node = v.graph().node(v);
  std::vector<Value> all = node.inputs;
  for (size_t i = 0; i < node.outputs.size(); ++i) all.push_back(Graph::output(v, static_cast<int>(i)));
  if (node.as<BnActBwd>() != nullptr && node.inputs[6]) all.back() = {};
  return all;
}

class Machine {
 public:
  /// What differs between ours and cuDNN's layer for `theirs` (that of `ours` if none).
  std::string difference(const Record& ours, DType type, const Record& theirs = {}) {
    Graph g;
    const Value v = ours(g, type);
    OpRun run(*backend_, g.node(v), operands_of(v), Math::f32);
    if (!nan_at_.empty()) put_nan(run);
    PeerRun beside(*backend_, peer(theirs ? theirs : ours, type), g.node(v), run);
    std::string found = beside.difference();
    beside.once();  // once more, as it is timed
    run.stream().synchronize();
    impl_ = beside.impl();
    return found;
  }
  /// cuDNN's layer; none where it has none.
  std::unique_ptr<Peer> peer(const Record& record, DType type) {
    Graph g;
    const Value v = record(g, type);
    return bench::peer_of(*peers_, g.node(v));
  }
  /// Elements of the first operand, f32, that are NaN from now on.
  void nan_at(std::vector<size_t> elements) { nan_at_ = std::move(elements); }
  [[nodiscard]] const std::string& impl() const { return impl_; }

 private:
  void put_nan(OpRun& run) {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    for (const size_t i : nan_at_) {
      const Ref& x = run.operands().front();
      backend_->upload(run.stream(), x.data + i * sizeof nan, reinterpret_cast<const std::byte*>(&nan),
                       sizeof nan);
    }
    run.stream().synchronize();
  }

  std::unique_ptr<Backend> backend_ = xferrun_cuda_module()->make_backend(0, Determinism::fixed_threads);
  std::unique_ptr<Peers> peers_ = xferrun_cudnn_peers()->open(backend_->stream(Lane::compute));
  std::vector<size_t> nan_at_;
  std::string impl_;
};

constexpr DType kTypes[] = {DType::f32, DType::bf16, DType::f16};
constexpr Shape kX{3, 5, 4, 8};

struct Bn {
  BnAct op{.eps = 1e-3F, .momentum = 0.1F, .mode = BnMode::batch, .act = Activation::relu};
  bool residual = false, gamma = true;
  Shape x = kX;
};

Record forward(const Bn& bn) {
  return [bn](Graph& g, DType type) {
    const Spec x{bn.x, type}, channels{vector_shape(bn.x.c), DType::f32};
    return g.add(bn.op, {g.input("x", x), bn.gamma ? g.input("gamma", channels) : Value{},
                         g.input("beta", channels), g.input("mean", channels), g.input("variance", channels),
                         bn.residual ? g.input("residual", x) : Value{}});
  };
}

Record gradient(const Bn& bn) {
  return [bn](Graph& g, DType type) {
    const Spec x{bn.x, type}, channels{vector_shape(bn.x.c), DType::f32};
    const bool relu = bn.op.act == Activation::relu;
    return g.add(BnActBwd{bn.op},
                 {g.input("dy", x), g.input("x", x), relu && bn.residual ? g.input("y", x) : Value{},
                  bn.gamma ? g.input("gamma", channels) : Value{}, g.input("mean", channels),
                  g.input("inv_std", channels), relu && !bn.residual ? g.input("beta", channels) : Value{}});
  };
}

Pool windows(PoolKind kind, int stride, Padding pad, CountPadding count = CountPadding::no) {
  return {kind, 3, 3, stride, stride, pad, count};
}
constexpr Padding kNone{}, kAround{1, 1, 1, 1};

Record forward(const Pool& p, Shape x = kX) {
  return [p, x](Graph& g, DType type) { return g.add(p, {g.input("x", {x, type})}); };
}

Record gradient(const Pool& p, Shape x = kX) {
  return [p, x](Graph& g, DType type) {
    const Value y = g.add(p, {g.input("x", {x, type})});
    const Value argmax = p.kind == PoolKind::max ? g.input("argmax", {y.shape(), DType::u8}) : Value{};
    return g.add(PoolBwd{p, x}, {g.input("dy", y.spec()), argmax});
  };
}

void check_same(Machine& machine, const Record& record, DType type) {
  const std::string found = machine.difference(record, type);
  CHECK_MESSAGE(found.empty(), name(type), ", ", machine.impl(), ": ", found);
}

}  // namespace

TEST_CASE(
    "cuDNN's batch normalisation and ours: fused where cuDNN is, its calls one after another elsewhere") {
  Machine machine;
  for (const DType type : kTypes) {
    for (const int64_t channels : {8, 6}) {
      const bool fuses = type != DType::f32 && channels == 8;
      Bn bn{.x = {3, 5, 4, channels}};
      CAPTURE(channels);
      check_same(machine, forward(bn), type);
      CHECK(machine.impl() == (fuses ? "cudnn:bn_relu" : "cudnn:bn+relu"));
      check_same(machine, gradient(bn), type);
      CHECK(machine.impl() == (fuses ? "cudnn:bn_relu" : "cudnn:bn+relu"));
      bn.gamma = false;
      check_same(machine, forward(bn), type);
      check_same(machine, gradient(bn), type);
      bn.residual = true;
      check_same(machine, forward(bn), type);
      CHECK(machine.impl() == (fuses ? "cudnn:bn_add_relu" : "cudnn:bn+add+relu"));
      check_same(machine, gradient(bn), type);
      CHECK(machine.impl() == (fuses ? "cudnn:bn_add_relu" : "cudnn:bn+add+relu"));
      bn.op.act = Activation::none;
      bn.op.eps = 1e-5F;
      check_same(machine, forward(bn), type);
      CHECK(machine.impl() == "cudnn:bn+add");
      check_same(machine, gradient(bn), type);
      bn.residual = false;
      check_same(machine, forward(bn), type);
      CHECK(machine.impl() == "cudnn:bn");
      check_same(machine, gradient(bn), type);
    }
  }
}

TEST_CASE("cuDNN's pools and ours") {
  Machine machine;
  const Pool overlapping = windows(PoolKind::max, 2, kNone), padded = windows(PoolKind::max, 2, kAround);
  const Pool unreached = windows(PoolKind::max, 2, {0, 1, 0, 0});  // of 5 rows and one more, windows need 5
  Pool flat = overlapping;
  flat.kernel_h = flat.stride_h = 1;
  for (const DType type : kTypes) {
    for (const Pool& p : {overlapping, padded, flat, unreached}) {
      check_same(machine, forward(p), type);
      check_same(machine, gradient(p), type);
    }
    for (const CountPadding count : {CountPadding::no, CountPadding::yes}) {
      const Pool same = windows(PoolKind::average, 1, kAround, count);
      check_same(machine, forward(same), type);
      check_same(machine, gradient(same), type);
    }
    check_same(
        machine,
        [](Graph& g, DType t) {
          return g.add(GlobalAvgPool{}, {g.input("x", {kX, t})});
        },
        type);
    check_same(
        machine,
        [](Graph& g, DType t) {
          return g.add(GlobalAvgPoolBwd{kX, t}, {g.input("dy", {{kX.n, 1, 1, kX.c}, DType::f32})});
        },
        type);
  }
  machine.nan_at({0, 17, 100});
  check_same(machine, forward(padded), DType::f32);
}

TEST_CASE("cuDNN's softmax and ours, alone and as a part of the loss") {
  Machine machine;
  const Spec logits{{7, 1, 1, 22}, DType::f32}, per_image{{7, 1, 1, 1}, DType::f32};
  check_same(
      machine, [&](Graph& g, DType) { return g.add(Softmax{}, {g.input("x", logits)}); }, DType::f32);
  check_same(
      machine,
      [&](Graph& g, DType) {
        return g.add(SoftmaxXent{}, {g.input("x", logits), g.input("labels", {per_image.shape, DType::i32}),
                                     g.input("weights", per_image), Value{}});
      },
      DType::f32);
}

TEST_CASE("what cuDNN has no call for") {
  Machine machine;
  const auto has_none = [&](const Record& record) { return machine.peer(record, DType::f32) == nullptr; };
  CHECK(has_none([](Graph& g, DType t) { return g.add(Act{}, {g.input("x", {kX, t})}); }));
  Bn frozen;
  frozen.op.mode = BnMode::running;
  CHECK(has_none(forward(frozen)));
  CHECK(has_none(gradient(frozen)));
  const Pool below = windows(PoolKind::max, 2, {0, 1, 0, 1});  // windows over 4 columns need one more
  CHECK_THROWS_AS(machine.peer(forward(below), DType::f32), UnavailableError);
  CHECK_THROWS_AS(machine.peer(gradient(below), DType::f32), UnavailableError);
  const Padding above{1, 0, 0, 0};  // windows over 4 rows never reach the row below that cuDNN adds
  const Shape four_rows{1, 4, 5, 8};
  CHECK(machine.peer(forward(windows(PoolKind::average, 2, above), four_rows), DType::f32) != nullptr);
  CHECK_THROWS_AS(
      machine.peer(forward(windows(PoolKind::average, 2, above, CountPadding::yes), four_rows), DType::f32),
      UnavailableError);
}

TEST_CASE("a layer of cuDNN's that computes something else is noticed, in every type") {
  Machine machine;
  for (const DType type : kTypes) {
    CAPTURE(name(type));
    const auto differs = [&](const Record& ours, const Record& theirs, const std::string& in) {
      return machine.difference(ours, type, theirs).starts_with(in + ": ");
    };
    Bn other;
    other.op.act = Activation::none;
    CHECK(differs(forward(Bn{}), forward(other), "y"));
    CHECK(differs(gradient(Bn{}), gradient(other), "dx"));
    other = {};
    other.op.eps = 0.1F;
    CHECK(differs(forward(Bn{}), forward(other), "y"));
    other = {};
    other.op.momentum = 0.11F;
    CHECK(differs(forward(Bn{}), forward(other), "running_mean"));
    const Pool average = windows(PoolKind::average, 2, kAround), maximum = windows(PoolKind::max, 2, kAround),
               counting = windows(PoolKind::average, 2, kAround, CountPadding::yes);
    CHECK(differs(forward(average), forward(counting), "y"));
    CHECK(differs(gradient(average), gradient(counting), "dx"));
    CHECK(differs(forward(average), forward(maximum), "y"));
    CHECK(differs(gradient(average), gradient(maximum), "dx"));
  }
}

}  // namespace xf::test
