// Built into simt-races, where ThreadSanitizer takes each simulated thread for a thread of its own. It
// follows barriers and exchanges, not the order in which the threads happen to run, and so finds races that
// no order shows.

#include <doctest/doctest.h>
#include <sanitizer/tsan_interface.h>

#include <cstdlib>
#include <iostream>
#include <vector>

#include "kernels/simt/simt.h"

namespace {

int reports = 0, expected = 0;

// The exit status is 66 after any report but the planted ones.
struct Verdict {
  ~Verdict() {
    if (reports == expected) return;
    std::cout.flush();
    std::_Exit(66);
  }
};
const Verdict verdict;

}  // namespace

// NOLINTBEGIN(readability-identifier-naming,bugprone-reserved-identifier): hooks of the sanitizer
extern "C" void __tsan_on_report(void* /*report*/) { ++reports; }
extern "C" const char* __tsan_default_options() { return "exitcode=0"; }
// NOLINTEND(readability-identifier-naming,bugprone-reserved-identifier)

namespace xf::test {
namespace {

using simt::launch;

template <class Run>
int races(Run&& run) {
  const int before = reports;
  run();
  expected += reports - before;
  return reports - before;
}

enum class Barrier : uint8_t { present, missing };

__global__ void rotate(int* y, Barrier barrier) {
  SIMT_SHARED(int, tile, [64]);
  tile[threadIdx.x] = static_cast<int>(threadIdx.x);
  if (barrier == Barrier::present) __syncthreads();
  y[threadIdx.x] = tile[(threadIdx.x + 63) % 64];
}

__global__ void rotate_in_warp(int* y, Barrier barrier) {
  SIMT_SHARED(int, tile, [32]);
  tile[threadIdx.x] = __shfl_xor_sync(~0U, static_cast<int>(threadIdx.x), 1);
  if (barrier == Barrier::present) __syncwarp();
  y[threadIdx.x] = tile[(threadIdx.x + 31) % 32];
}

__global__ void all_write_one(int* y) { simt::store(y, static_cast<int>(blockIdx.x)); }
__global__ void all_add_to_one(int* y) { atomicAdd(y, static_cast<int>(blockIdx.x)); }

TEST_CASE("planted races are reported, and what is ordered is not") {
  std::vector<int> y(64);
  const auto in_block = [&](Barrier b) { launch(&rotate, dim3(1), dim3(64), 0, nullptr, y.data(), b); };
  const auto in_warp = [&](Barrier b) {
    launch(&rotate_in_warp, dim3(1), dim3(32), 0, nullptr, y.data(), b);
  };
  simt::set_schedule({});
  CHECK(races([&] { in_block(Barrier::present); }) == 0);
  CHECK(races([&] { in_warp(Barrier::present); }) == 0);
  CHECK(races([&] { launch(&all_add_to_one, dim3(3), dim3(8), 0, nullptr, y.data()); }) == 0);
  CHECK(races([&] { in_block(Barrier::missing); }) > 0);
  CHECK(races([&] { in_warp(Barrier::missing); }) > 0);
  CHECK(races([&] { launch(&all_write_one, dim3(2), dim3(2), 0, nullptr, y.data()); }) > 0);
}

}  // namespace
}  // namespace xf::test
