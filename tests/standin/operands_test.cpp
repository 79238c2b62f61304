// What kernels say that they take: slices of wider tensors, and results in an operand's place. Where one
// takes less than it could, a plan copies, or keeps two tensors for one: it is as right and costs more.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <string>
#include <variant>
#include <vector>

#include "engine/core/error.h"
#include "kernels/cuda/module.h"
#include "kernels/cuda/operands.h"
#include "tests/ops/cases/cases.h"

namespace xf::test {
namespace {

class Lowered {
 public:
  explicit Lowered(const OpCase& c) {
    std::vector<Value> values;
    for (const Operand& operand : c.in)
      values.push_back(operand.fill ? graph_.input(fmt::format("in{}", values.size()), operand.spec)
                                    : Value{});
    const Node& node = graph_.node(graph_.add(c.op, values));
    inputs_ = static_cast<int>(values.size());
    outputs_ = static_cast<int>(node.outputs.size());
    backend_ = xferrun_cuda_module()->make_backend(0, Determinism::any_threads);
    kernel_ = backend_->lower(node);
  }

  /// "in 0, out 0": the operands that may be slices.
  [[nodiscard]] std::string slices() const {
    std::string text;
    for (int i = 0; i < inputs_ + outputs_; ++i)
      if (kernel_->strided(i))
        add(text, i < inputs_ ? fmt::format("in {}", i) : fmt::format("out {}", i - inputs_));
    return text;
  }
  /// "0 in 1": output 0 may take the place of input 1.
  [[nodiscard]] std::string places() const {
    std::string text;
    for (int o = 0; o < outputs_; ++o)
      for (int i = 0; i < inputs_; ++i)
        if (kernel_->in_place(o, i)) add(text, fmt::format("{} in {}", o, i));
    return text;
  }

 private:
  static void add(std::string& text, const std::string& more) { text += (text.empty() ? "" : ", ") + more; }

  Graph graph_;
  int inputs_ = 0, outputs_ = 0;
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<Kernel> kernel_;
};

/// The first case of an operation.
template <class Op>
Lowered first_of(const std::vector<OpCase>& cases) {
  for (const OpCase& c : cases)
    if (std::holds_alternative<Op>(c.op)) return Lowered(c);
  throw InternalError("a case", "is missing");
}

TEST_CASE("operands: which may be slices of wider tensors") {
  CHECK(first_of<BnAct>(bn_act_cases()).slices() == "in 0, in 5, out 0");
  CHECK(first_of<BnActBwd>(bn_act_cases()).slices() == "in 0, in 1, in 2, out 0, out 3");
  CHECK(first_of<Pool>(pool_cases()).slices() == "in 0, out 0");
  CHECK(first_of<PoolBwd>(pool_cases()).slices() == "in 0, out 0");
}

TEST_CASE("operands: which results may take an operand's place") {
  CHECK(first_of<BnAct>(bn_act_cases()).places() == "0 in 0, 0 in 5, 3 in 3, 4 in 4");
  CHECK(first_of<BnActBwd>(bn_act_cases()).places() == "0 in 0, 0 in 1, 0 in 2, 3 in 0, 3 in 1, 3 in 2");
  const std::string places = first_of<Optimize>(optimize_cases()).places();
  CHECK(places.starts_with("2 in 1, 3 in 3, 4 in 4, 5 in 5, 6 in 6, 7 in 8, 8 in 9, "));  // all but gradients
  CHECK(places.ends_with(", 22 in 26"));                                                  // the loss scale
  CHECK(first_of<Accumulate>(optimize_cases()).places().starts_with("0 in 1, 1 in 3, "));
}

TEST_CASE("operands: a pool whose last windows hold nothing but padding") {
  // Of 2 at stride 2 over 4 positions, and 2 that rounding up adds: the third begins where the map ends.
  const Pool pool{PoolKind::max, 2, 2, 2, 2, {0, 2, 0, 0}, CountPadding::no, 2};
  CHECK_THROWS_AS(Lowered({"padding alone", pool, {activation({1, 4, 4, 3})}}), UnavailableError);
}

TEST_CASE("operands: a sum of more terms than a kernel takes") {
  const std::vector<Operand> terms(65, activation({1, 1, 1, 3}));
  CHECK_THROWS_AS(Lowered({"of 65", Add{}, terms}), UnavailableError);
}

TEST_CASE("operands: what is absent may be left off the end") {
  const Operand x = activation({2, 3, 3, 4}), w = weights({5, 3, 3, 4}), v = per_channel(4);
  CHECK_NOTHROW(Lowered({"no bias", Dense{}, {x, w}}));
  CHECK_NOTHROW(Lowered({"no residual", BnAct{}, {x, v, v, v, v}}));
  std::array<std::byte, 3> memory{};
  std::vector<Ref> refs(3);
  for (size_t i = 0; i < 3; ++i) refs[i].data = &memory[i];
  const cuda::Operands operands(refs, 2);
  CHECK(operands.in(1).data == &memory[1]);
  CHECK(operands.in(2).data == nullptr);
  CHECK(operands.out(0).data == &memory[2]);
}

}  // namespace
}  // namespace xf::test
