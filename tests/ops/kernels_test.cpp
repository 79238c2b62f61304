// Every kernel of every backend against the fp64 references, in every arrangement of memory it allows.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdio>
#include <set>

#include "engine/core/threads.h"
#include "tests/ops/backends.h"
#include "tests/ops/cases/cases.h"
#include "tests/ops/run_case.h"

namespace xf::test {
namespace {

/// Whether the backend computes in the type of the case.
bool runs_on(const OpCase& c, Backend& backend, std::string& why) { return backend.supports(c.type, why); }

void run_all(const std::vector<OpCase>& cases) {
  for (const std::unique_ptr<Backend>& backend : backends(Determinism::fixed_threads)) {
    DeviceMemory memory(*backend);
    std::string why;
    int skipped = 0;
    for (const OpCase& c : cases) {
      if (!runs_on(c, *backend, why)) {
        ++skipped;
        continue;
      }
      for (const std::string& failure : run_case(memory, c).failures)
        FAIL_CHECK(backend->name(), ": ", failure);
    }
    if (skipped > 0) fmt::print("skipped: {} cases on {}: {}\n", skipped, backend->name(), why);
    CHECK(skipped < static_cast<int>(cases.size()));
  }
}

}  // namespace

TEST_CASE("kernels: convolution") { run_all(conv_cases()); }
TEST_CASE("kernels: dense") { run_all(dense_cases()); }
TEST_CASE("kernels: batch normalisation") { run_all(bn_act_cases()); }
TEST_CASE("kernels: pooling") { run_all(pool_cases()); }
TEST_CASE("kernels: one number at a time") { run_all(elementwise_cases()); }
TEST_CASE("kernels: channels") { run_all(channel_cases()); }
TEST_CASE("kernels: cross-entropy") { run_all(softmax_cases()); }
TEST_CASE("kernels: optimizers") { run_all(optimize_cases()); }

TEST_CASE("kernels: every operation has a case, no two the same name") {
  std::set<std::string_view> covered{"pack"};  // run by whichever kernel wants its weights packed
  std::set<std::string> names;
  for (const OpCase& c : all_cases()) {
    covered.insert(op_name(c.op));
    CHECK_MESSAGE(names.insert(fmt::format("{} {}", op_name(c.op), c.name)).second, op_name(c.op), " ",
                  c.name);
  }
#define XF_OP(Name, text) CHECK_MESSAGE(covered.count(text) == 1, text);
#include "engine/graph/ops.def"
#undef XF_OP
}

TEST_CASE("kernels: with any_threads the number of threads changes no bit") {
  const int before = threads();
  const std::vector<OpCase> cases = all_cases();
  const auto with = [&](int count) {
    set_threads(count);
    std::vector<CaseReport> reports;
    for (const std::unique_ptr<Backend>& backend : backends(Determinism::any_threads)) {
      DeviceMemory memory(*backend);
      for (const OpCase& c : cases) {
        std::string why;
        reports.push_back(runs_on(c, *backend, why) ? run_case(memory, c, Arrangements::plain)
                                                    : CaseReport{});
        for (const std::string& failure : reports.back().failures) FAIL_CHECK(count, " threads: ", failure);
      }
    }
    return reports;
  };
  const std::vector<CaseReport> one = with(1);
  for (const int count : {2, 3}) {
    const std::vector<CaseReport> more = with(count);
    REQUIRE(more.size() == one.size());
    for (size_t i = 0; i < one.size(); ++i) {
      const OpCase& c = cases[i % cases.size()];
      CHECK_MESSAGE(more[i].outputs == one[i].outputs, op_name(c.op), " ", c.name, ", ", one[i].impl, ": ",
                    count, " threads give other bits than one");
    }
  }
  set_threads(before);
}

}  // namespace xf::test
