// Whatever the number of threads, the rows' distance and the memory that operands share: the bytes of a
// result are the same.
#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <variant>
#include <vector>

#include "engine/core/threads.h"
#include "tests/kernels/lowered.h"

using xf::Activation;
using xf::DType;
using xf::Spec;
using xf::test::Arrangement;
using xf::test::Lowered;
using xf::test::same_bytes;

namespace {

struct Case {
  std::string name;
  xf::OpAttributes op;
  std::vector<Spec> inputs;
  std::vector<int> unused{};
};

const Spec kAbsent{{0, 0, 0, 0}, DType::f32};

Spec vector_of(int64_t channels) { return {xf::vector_shape(channels), DType::f32}; }

/// Every kernel of ours, on more blocks than threads, with channels that fill no vector.
std::vector<Case> cases(DType type) {
  constexpr int64_t kC = 37;
  const Spec x{{3, 29, 17, kC}, type}, half{{3, 14, 8, kC}, type}, stat = vector_of(kC);
  const Spec step{xf::vector_shape(sizeof(xf::StepParams)), DType::u8};
  const xf::Pool max{xf::PoolKind::max, 3, 3, 2, 2, {}};
  const xf::Pool average{xf::PoolKind::average, 3, 3, 1, 1, {1, 1, 1, 1}};
  xf::BnAct bn;
  bn.act = Activation::relu;
  xf::BnAct running = bn;
  running.mode = xf::BnMode::running;
  const Spec mean{{3, 1, 1, kC}, DType::f32};
  return {
      {"bn_act", bn, {x, stat, stat, stat, stat, x}},
      {"bn_act without residual", bn, {x, kAbsent, stat, stat, stat, kAbsent}},
      {"bn_act running", running, {x, stat, stat, stat, stat, x}, {3, 4}},
      {"bn_act_bwd", xf::BnActBwd{bn}, {x, x, x, stat, stat, stat, kAbsent}},
      {"bn_act_bwd without residual", xf::BnActBwd{bn}, {x, x, kAbsent, kAbsent, stat, stat, stat}, {3}},
      {"bn_act_bwd frozen", xf::BnActBwd{running}, {x, x, x, stat, stat, stat, kAbsent}, {1, 2}},
      {"bn_act_bwd without activation",
       xf::BnActBwd{xf::BnAct{}},
       {x, x, kAbsent, stat, stat, stat, kAbsent},
       {3}},
      {"max pool", max, {x}},
      {"max pool without argmax", max, {x}, {1}},
      {"average pool", average, {x}, {1}},
      {"max pool_bwd", xf::PoolBwd{max, x.shape}, {half, {half.shape, DType::u8}}},
      {"average pool_bwd", xf::PoolBwd{average, x.shape}, {x, kAbsent}},
      {"global_avg_pool", xf::GlobalAvgPool{}, {x}},
      {"global_avg_pool_bwd", xf::GlobalAvgPoolBwd{x.shape, type}, {mean}},
      {"bias", xf::Bias{}, {x, stat}},
      {"bias_grad", xf::BiasGrad{}, {x}},
      {"act", xf::Act{}, {x}},
      {"act_bwd", xf::ActBwd{}, {x, x}},
      {"add", xf::Add{}, {x, x, x}},
      {"concat", xf::Concat{}, {x, {{3, 29, 17, 5}, type}}},
      {"slice", xf::Slice{7, 11}, {x}},
      {"cast", xf::Cast{type == DType::f32 ? DType::bf16 : DType::f32}, {x}},
      {"normalize",
       xf::Normalize{xf::ChannelOrder::bgr, {1, 2, 3, 1}, {4, 5, 6, 0}, 4, type},
       {{{3, 149, 149, 3}, DType::u8}}},
      {"dropout", xf::Dropout{0.3F, 5}, {step, x}},
  };
}

std::string label(const Case& c, DType type) { return c.name + " " + std::string(name(type)); }

struct LoweredCase : Lowered {
  explicit LoweredCase(const Case& c) : Lowered(c.op, c.inputs) {
    if (!std::holds_alternative<xf::Dropout>(c.op)) return;
    const xf::StepParams step;  // which random bytes are none of
    std::memcpy(input(0).data(), &step, sizeof step);
  }
};

/// Restores the number of threads.
struct Threads {
  int before = xf::threads();
  ~Threads() { xf::set_threads(before); }
};

}  // namespace

TEST_CASE("results do not depend on the number of threads") {
  const Threads restore;
  for (const DType type : {DType::f32, DType::bf16}) {
    for (const Case& c : cases(type)) {
      CAPTURE(label(c, type));
      LoweredCase kernel(c);
      xf::set_threads(1);
      const auto expected = kernel.run({{}, {}, c.unused});
      for (const int threads : {2, 3, 7}) {
        xf::set_threads(threads);
        const auto got = kernel.run({{}, {}, c.unused});
        for (size_t o = 0; o < got.size(); ++o) CHECK(same_bytes(got[o], expected[o]));
      }
    }
  }
}

TEST_CASE("operands that may have a row stride give the same with one") {
  for (const DType type : {DType::f32, DType::bf16}) {
    for (const Case& c : cases(type)) {
      CAPTURE(label(c, type));
      LoweredCase kernel(c);
      const auto expected = kernel.run({{}, {}, c.unused});
      Arrangement apart{{}, {}, c.unused};
      const auto operands = static_cast<int>(c.inputs.size() + expected.size());
      for (int i = 0; i < operands; ++i)
        if (kernel.kernel().strided(i)) apart.gap[i] = 3 + i;
      const auto got = kernel.run(apart);
      for (size_t o = 0; o < got.size(); ++o) CHECK(same_bytes(got[o], expected[o]));
    }
  }
}

TEST_CASE("an output that may lie in an input's memory gives the same there") {
  int tried = 0;
  for (const DType type : {DType::f32, DType::bf16}) {
    for (const Case& c : cases(type)) {
      LoweredCase kernel(c);
      const auto expected = kernel.run({{}, {}, c.unused});
      for (size_t o = 0; o < expected.size(); ++o) {
        for (size_t i = 0; i < c.inputs.size(); ++i) {
          if (expected[o].empty() || c.inputs[i].shape.count() == 0 ||
              c.inputs[i] != kernel.node().outputs[o] ||
              !kernel.kernel().in_place(static_cast<int>(o), static_cast<int>(i)))
            continue;
          CAPTURE(label(c, type));
          CAPTURE(o);
          CAPTURE(i);
          const auto got = kernel.run({{}, {{static_cast<int>(o), static_cast<int>(i)}}, c.unused});
          for (size_t k = 0; k < got.size(); ++k) CHECK(same_bytes(got[k], expected[k]));
          ++tried;
        }
      }
    }
  }
  CHECK(tried > 30);
}
