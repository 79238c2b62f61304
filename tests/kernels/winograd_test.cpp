// Convolutions by Winograd's F(4x4, 3x3): those of the op suite's that can be, whatever the rule says of
// them, in every instruction set that the processor has.

#include <doctest/doctest.h>

#include <string>

#include "engine/core/threads.h"
#include "kernels/cpu/backend.h"
#include "kernels/cpu/simd.h"
#include "kernels/cpu/winograd_rule.h"
#include "tests/ops/cases/cases.h"
#include "tests/ops/run_case.h"

#include <hwy/targets.h>

namespace xf::test {
namespace {

bool by_winograd(const CaseReport& report) { return report.impl.rfind("xf:winograd:", 0) == 0; }

/// Runs our own code with one instruction set while this lives.
class OneInstructionSet {
 public:
  explicit OneInstructionSet(int64_t target) { set(target); }
  ~OneInstructionSet() { set(0); }
  OneInstructionSet(const OneInstructionSet&) = delete;
  OneInstructionSet& operator=(const OneInstructionSet&) = delete;

 private:
  static void set(int64_t target) {
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  }
};

/// Of every case that was computed by Winograd.
std::vector<CaseReport> run_all(const std::vector<OpCase>& cases, Determinism determinism,
                                Arrangements tried) {
  const auto backend = cpu::make_backend(determinism, cpu::Convolutions::winograd);
  DeviceMemory memory(*backend);
  std::vector<CaseReport> reports;
  for (const OpCase& c : cases) {
    if (c.type != DType::f32) continue;
    CaseReport report = run_case(memory, c, tried);
    if (!by_winograd(report)) continue;
    for (const std::string& failure : report.failures) FAIL_CHECK(failure);
    reports.push_back(std::move(report));
  }
  return reports;
}

/// Tiles enough for several blocks, and for threads to have blocks of their own.
std::vector<OpCase> large_cases() {
  const Conv2d op{3, 3, 1, 1, {1, 1, 1, 1}, Activation::relu};
  const Shape map{12, 62, 61, 16}, w{16, 3, 3, 16};
  return {{"large map", op, {activation(map), weights(w)}},
          {"large map", ConvBwdData{op, map}, {activation(map), weights(w)}},
          {"large map", ConvBwdWeights{op, w}, {activation(map), activation(map)}}};
}

struct Threads {
  int before = threads();
  ~Threads() { set_threads(before); }
};

}  // namespace

TEST_CASE("winograd: results within the derived bound, in every arrangement and instruction set") {
  for (const int64_t target : {HWY_AVX3, HWY_AVX2}) {
    if ((hwy::SupportedTargets() & target) == 0) {
      MESSAGE("skipped: this processor has no ", hwy::TargetName(target));
      continue;
    }
    const OneInstructionSet one(target);
    CHECK(run_all(conv_cases(), Determinism::fixed_threads, Arrangements::all).size() > 30);
  }
}

TEST_CASE("winograd: a processor with neither AVX2 nor AVX-512 computes directly") {
  const OneInstructionSet one(HWY_SSE4);
  CHECK(run_all(conv_cases(), Determinism::fixed_threads, Arrangements::plain).empty());
}

TEST_CASE("winograd: the rule") {
  const Conv2d same{3, 3, 1, 1, {1, 1, 1, 1}};
  const auto chosen = [&](const Conv2d& op, const Shape& x, int64_t outputs, DType type = DType::f32,
                          const cpu::Context& context = {}) {
    const Shape y{x.n, x.h + 2 * op.pad.top - 2, x.w + 2 * op.pad.left - 2, outputs};
    return cpu::winograd::chosen(op, x, y, type, context);
  };
  if ((hwy::SupportedTargets() & (HWY_AVX3 | HWY_AVX2)) == 0) return;
  CHECK(chosen(same, {16, 224, 224, 64}, 64));
  CHECK(chosen(same, {16, 7, 7, 512}, 512));
  CHECK(chosen({3, 3, 1, 1, {}}, {16, 149, 149, 32}, 32));
  CHECK(chosen(same, {1, 14, 14, 512}, 512));
  CHECK_FALSE(chosen(same, {1, 7, 7, 512}, 512));   // four tiles
  CHECK_FALSE(chosen(same, {16, 5, 5, 256}, 256));  // tiles that are mostly empty
  CHECK_FALSE(chosen(same, {16, 56, 56, 40}, 64));  // channels that fill no group
  CHECK_FALSE(chosen(same, {16, 56, 56, 64}, 64, DType::bf16));
  CHECK_FALSE(chosen({3, 3, 2, 2, {1, 1, 1, 1}}, {16, 56, 56, 64}, 64));
  CHECK_FALSE(chosen(same, {16, 224, 224, 64}, 64, DType::f32,
                     {Determinism::fixed_threads, cpu::Convolutions::direct}));
  {
    const OneInstructionSet one(HWY_AVX2);
    CHECK(chosen(same, {16, 56, 56, 16}, 16));
  }
  if ((hwy::SupportedTargets() & HWY_AVX3) != 0) CHECK_FALSE(chosen(same, {16, 56, 56, 16}, 16));
}

TEST_CASE("winograd: the number of threads changes no bit") {
  const Threads restore;
  for (const std::vector<OpCase>& cases : {conv_cases(), large_cases()}) {
    set_threads(1);
    const std::vector<CaseReport> one = run_all(cases, Determinism::any_threads, Arrangements::plain);
    for (const int count : {2, 5}) {
      set_threads(count);
      const std::vector<CaseReport> more = run_all(cases, Determinism::any_threads, Arrangements::plain);
      REQUIRE(more.size() == one.size());
      for (size_t i = 0; i < one.size(); ++i) CHECK(more[i].outputs == one[i].outputs);
    }
  }
}

}  // namespace xf::test
