#include "tests/support/thread_comm.h"

#include <doctest/doctest.h>

#include <atomic>
#include <cmath>

#include "engine/core/error.h"

namespace xf::test {

TEST_CASE("thread comm: gathers what each rank gave, of any size, in their order") {
  run_ranks(3, [](Comm& comm) {
    for (int round = 0; round < 50; ++round) {
      const std::vector<std::byte> mine(static_cast<size_t>(comm.rank() * 5), std::byte(comm.rank() + round));
      const auto all = comm.all_gather(mine);
      CHECK(all.size() == 3);
      for (size_t r = 0; r < all.size(); ++r)
        CHECK(all[r] == std::vector<std::byte>(5 * r, std::byte(static_cast<int>(r) + round)));
    }
  });
}

TEST_CASE("thread comm: the mean in the order of the ranks, not to be seen before it is waited for") {
  run_ranks(3, [](Comm& comm) {
    const float share = comm.rank() == 1 ? 1.0F : 16777216.0F * (comm.rank() == 0 ? 1 : -1);
    std::vector<float> a{share}, b{static_cast<float>(comm.rank()), 3};
    comm.start_mean(0, {a});
    comm.start_mean(1, {b});
    CHECK(std::isnan(a[0]));
    comm.wait_mean(1);
    comm.wait_mean(0);
    CHECK(a[0] == 0);  // 2^24 + 1 rounds to 2^24; with the third before the second it were 1/3
    CHECK(b == std::vector<float>{1, 3});
  });
}

TEST_CASE("thread comm: a rank that ends wakes the others, and its error is the one that is thrown") {
  std::atomic<int> woken = 0;
  CHECK_THROWS_AS(run_ranks(3,
                            [&](Comm& comm) {
                              meet(comm);
                              if (comm.rank() == 1) throw DataError("image", "broken");
                              try {
                                meet(comm);
                              } catch (const UnavailableError&) {
                                ++woken;
                              }
                            }),
                  DataError);
  CHECK(woken == 2);
}

TEST_CASE("thread comm: ranks that call something else are told") {
  CHECK_THROWS_AS(run_ranks(2,
                            [](Comm& comm) {
                              std::vector<float> x(1);
                              comm.start_mean(0, {x});
                              if (comm.rank() == 0)
                                comm.wait_mean(0);
                              else
                                meet(comm);
                            }),
                  InternalError);
  CHECK_THROWS_AS(run_ranks(2,
                            [](Comm& comm) {
                              std::vector<float> x(static_cast<size_t>(comm.rank() + 1));
                              comm.start_mean(0, {x});
                              comm.wait_mean(0);
                            }),
                  InternalError);
}

}  // namespace xf::test
