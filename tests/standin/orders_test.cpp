// Every kernel with the threads of its blocks, and the blocks, in other orders: the same bits. A missing
// barrier, or a sum whose order is left to chance, differs in one of them.

#include <doctest/doctest.h>

#include "kernels/simt/schedule.h"
#include "tests/ops/backends.h"
#include "tests/ops/cases/cases.h"
#include "tests/ops/run_case.h"

namespace xf::test {
namespace {

void same_in_every_order(const std::vector<OpCase>& cases) {
  const auto all = backends(Determinism::any_threads);
  Backend& backend = *all.front();
  DeviceMemory memory(backend);
  for (const OpCase& c : cases) {
    simt::set_schedule({simt::Order::forward});
    const CaseReport expected = run_case(memory, c, Arrangements::plain);
    for (const simt::Schedule& schedule :
         {simt::Schedule{simt::Order::reverse}, simt::Schedule{simt::Order::random, 1}}) {
      simt::set_schedule(schedule);
      const CaseReport report = run_case(memory, c, Arrangements::plain);
      for (const std::string& failure : report.failures) FAIL_CHECK(failure);
      CHECK_MESSAGE(report.outputs == expected.outputs, op_name(c.op), " ", c.name, ": order ",
                    static_cast<int>(schedule.order), " gives other bits");
    }
  }
  simt::set_schedule({simt::Order::forward});
}

}  // namespace

TEST_CASE("orders: convolution") { same_in_every_order(conv_cases()); }
TEST_CASE("orders: dense") { same_in_every_order(dense_cases()); }
TEST_CASE("orders: batch normalisation") { same_in_every_order(bn_act_cases()); }
TEST_CASE("orders: pooling") { same_in_every_order(pool_cases()); }
TEST_CASE("orders: one number at a time") { same_in_every_order(elementwise_cases()); }
TEST_CASE("orders: channels") { same_in_every_order(channel_cases()); }
TEST_CASE("orders: cross-entropy") { same_in_every_order(softmax_cases()); }
TEST_CASE("orders: optimizers") { same_in_every_order(optimize_cases()); }

}  // namespace xf::test
