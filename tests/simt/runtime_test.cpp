// The runtime itself: what right kernels compute, and that wrong ones are found out.

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/simt/simt.h"
#include "tests/simt/guarded.h"
#include "tests/simt/orders.h"

namespace xf::test {
namespace {

using simt::launch;

// The text of the error that `run` ends with; empty when it ends well.
template <class Run>
std::string error_of(Run&& run) {
  try {
    run();
  } catch (const simt::KernelError& e) {
    return e.what();
  }
  return {};
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

enum class Barrier : uint8_t { present, missing };

__global__ void rotate(int* y, Barrier barrier) {
  SIMT_SHARED(int, tile, [64]);
  tile[threadIdx.x] = static_cast<int>(threadIdx.x);
  if (barrier == Barrier::present) __syncthreads();
  y[threadIdx.x] = tile[(threadIdx.x + 63) % 64];
}

std::vector<int> rotated(Barrier barrier) {
  std::vector<int> y(64, -2);
  launch(&rotate, dim3(1), dim3(64), 0, nullptr, y.data(), barrier);
  return y;
}

TEST_CASE("shared memory and barriers give the same in every order") {
  std::vector<int> expected(64);
  for (int i = 0; i < 64; ++i) expected[static_cast<size_t>(i)] = (i + 63) % 64;
  in_every_order([&] { CHECK(rotated(Barrier::present) == expected); });
}

TEST_CASE("a missing barrier shows as results that depend on the order") {
  simt::set_schedule({simt::Order::forward});
  const std::vector<int> forward = rotated(Barrier::missing);
  simt::set_schedule({simt::Order::reverse});
  CHECK(forward != rotated(Barrier::missing));
}

__global__ void read_uninitialised(float* y) {
  SIMT_SHARED(float, tile, [64]);
  SIMT_DYN_SHARED(float, more);
  tile[threadIdx.x] = 1;
  __syncthreads();
  y[threadIdx.x] = tile[threadIdx.x + 32];
  y[threadIdx.x + 32] = more[threadIdx.x];
}

TEST_CASE("shared memory starts as NaN in every block") {
  std::array<float, 64> y{};
  launch(&read_uninitialised, dim3(2), dim3(32), 32 * sizeof(float), nullptr, y.data());
  for (const float v : y) CHECK(std::isnan(v));
}

__global__ void diverge_at_barrier() {
  if (threadIdx.x % 2 == 0) {  // NOLINT(bugprone-branch-clone): two barriers are not one
    __syncthreads();
  } else {
    __syncthreads();
  }
}

__global__ void return_before_barrier() {
  if (threadIdx.x == 5) return;
  __syncthreads();
}

TEST_CASE("a barrier that not every thread reaches names block, threads and lines") {
  in_every_order([] {
    const std::string divergent = error_of([] { launch(&diverge_at_barrier, dim3(2), dim3(8), 0, nullptr); });
    CHECK(contains(divergent, "divergent barrier"));
    CHECK(contains(divergent, "block ("));
    CHECK(contains(divergent, "thread ("));
    CHECK(contains(divergent, "__syncthreads at runtime_test.cpp:"));
    const std::string early = error_of([] { launch(&return_before_barrier, dim3(1), dim3(8), 0, nullptr); });
    CHECK(contains(early, "thread (5,0,0)"));
    CHECK(contains(early, "return"));
  });
  simt::set_schedule({simt::Order::forward});
  CHECK(contains(error_of([] { launch(&diverge_at_barrier, dim3(2), dim3(8), 0, nullptr); }),
                 "block (0,0,0) thread (1,0,0)"));
}

__global__ void shuffle_in_half_a_warp(unsigned mask, unsigned from, unsigned below) {
  if (threadIdx.x >= from && threadIdx.x < below) {
    __shfl_xor_sync(mask, 1.0F, 1);
  } else {
    __syncwarp(0xFFFF0000U);
  }
}

__global__ void read_beyond_mask() {
  if (threadIdx.x < 16) __shfl_sync(0xFFFFU, 1.0F, 20);
}

__global__ void barrier_for_some_shuffle_for_others() {
  if (threadIdx.x < 16) {
    __syncwarp();
  } else {
    __syncthreads();
  }
}

TEST_CASE("a shuffle that its mask does not fit names block, thread and line") {
  in_every_order([] {
    const auto half = [](unsigned mask, unsigned from, unsigned below) {
      return error_of(
          [=] { launch(&shuffle_in_half_a_warp, dim3(1), dim3(32), 0, nullptr, mask, from, below); });
    };
    CHECK(half(0xFFFFU, 0, 16).empty());
    CHECK(contains(half(0xFF00U, 0, 16), "is not in mask"));
    const std::string divergent = half(0xFFFFFFFFU, 0, 16);  // the others wait, or have returned
    CHECK(contains(divergent, "__shfl_xor_sync at runtime_test.cpp:"));
    CHECK(contains(divergent, "block (0,0,0) thread ("));
    CHECK(contains(error_of([] { launch(&read_beyond_mask, dim3(1), dim3(32), 0, nullptr); }),
                   "__shfl_sync reads lane 20"));
  });
}

TEST_CASE("threads that wait for each other forever are told apart") {
  in_every_order([] {
    const std::string text =
        error_of([] { launch(&barrier_for_some_shuffle_for_others, dim3(1), dim3(32), 0, nullptr); });
    CHECK(contains(text, "deadlock"));
    CHECK(contains(text, "__syncthreads at"));
    CHECK(contains(text, "__syncwarp at"));
    CHECK(contains(text, "(and 15 threads more)"));
  });
}

__global__ void load_from_odd_address(const float* x, float* y) {
  const auto v = simt::load<simt::Pack<float, 4>>(x + 1);
  simt::store(y, v.v[0]);
}

TEST_CASE("a vector load from an address that is not aligned is an error") {
  alignas(16) const std::array<float, 8> x{};
  float y = 0;
  CHECK(
      contains(error_of([&] { launch(&load_from_odd_address, dim3(1), dim3(1), 0, nullptr, x.data(), &y); }),
               "4 bytes past a multiple"));
}

struct Counted {
  int& count;
  explicit Counted(int& c) : count(c) { ++count; }
  ~Counted() { --count; }
};

__global__ void fail_late(int* alive) {
  const Counted here(*alive);
  __syncthreads();
  if (threadIdx.x == 3) __syncwarp(0);
  __syncthreads();
}

TEST_CASE("a failed launch unwinds its threads, and the next one runs") {
  int alive = 0;
  CHECK(!error_of([&] { launch(&fail_late, dim3(1), dim3(64), 0, nullptr, &alive); }).empty());
  CHECK(alive == 0);
  CHECK(rotated(Barrier::present)[0] == 63);
}

__global__ void warp_functions(int* ok) {
  const unsigned lane = threadIdx.x % 32, all = 0xFFFFFFFFU;
  int good = 1;
  good &= static_cast<int>(__shfl_sync(all, lane, 5) == 5);
  good &= static_cast<int>(__shfl_sync(all, lane, 1, 8) == (lane & ~7U) + 1);
  good &= static_cast<int>(__shfl_xor_sync(all, lane, 3) == (lane ^ 3U));
  good &= static_cast<int>(__shfl_down_sync(all, lane, 4U) == (lane < 28 ? lane + 4 : lane));
  good &= static_cast<int>(__shfl_up_sync(all, lane, 4U, 16) == (lane % 16 >= 4 ? lane - 4 : lane));
  good &= static_cast<int>(__shfl_sync(all, 0.5 * lane, 7) == 3.5);
  good &= static_cast<int>(__ballot_sync(all, static_cast<int>(lane % 3 == 0)) == 0x49249249U);
  good &= __any_sync(all, static_cast<int>(lane == 9)) & __all_sync(all, 1);
  good &= static_cast<int>(__all_sync(all, static_cast<int>(lane != 9)) == 0);
  // Two groups of one warp, each at its own pace.
  if (lane < 12) {
    for (int i = 0; i < 3; ++i)
      good &= static_cast<int>(__shfl_sync(0xFFFU, lane, i) == static_cast<unsigned>(i));
  } else {
    good &= static_cast<int>(__shfl_sync(0xFFFFF000U, lane, 31) == 31);
  }
  good &= static_cast<int>(__syncthreads_count(static_cast<int>(threadIdx.x < 10)) == 10);
  good &= __syncthreads_or(static_cast<int>(threadIdx.x == 50)) & __syncthreads_and(1);
  good &= static_cast<int>(__syncthreads_and(static_cast<int>(threadIdx.x != 50)) == 0);
  ok[threadIdx.x] = good;
}

TEST_CASE("warp and block functions give what CUDA's give") {
  in_every_order([] {
    std::vector<int> ok(64, 0);
    launch(&warp_functions, dim3(1), dim3(64), 0, nullptr, ok.data());
    CHECK(ok == std::vector<int>(64, 1));
  });
}

__global__ void count_atomically(float* sum, int* largest, unsigned* bits, int* tickets) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  atomicAdd(sum, 1.0F);
  atomicMax(largest, i);
  atomicMin(largest + 1, -i);
  atomicOr(bits, 1U << i % 32);
  tickets[atomicAdd(largest + 2, 1)] = 1;
}

TEST_CASE("atomics") {
  in_every_order([] {
    float sum = 0;
    std::array<int, 3> largest{};
    unsigned bits = 0;
    std::vector<int> tickets(120, 0);
    launch(&count_atomically, dim3(3), dim3(40), 0, nullptr, &sum, largest.data(), &bits, tickets.data());
    CHECK(sum == 120);
    CHECK(largest == std::array{119, -119, 120});
    CHECK(bits == ~0U);
    CHECK(tickets == std::vector<int>(120, 1));
  });
}

__global__ void number_blocks(int* next, int* turn) {
  const unsigned block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
  turn[block] = atomicAdd(next, 1);
}

// Lacks a barrier at the end: a warp may write again before the other one has read.
__global__ void exchange_between_warps(int* y) {
  SIMT_SHARED(int, tile, [2]);
  const unsigned warp = threadIdx.x / 32;
  for (int turn = 0; turn < 2; ++turn) {
    __syncwarp();
    tile[warp] = turn;
    __syncthreads();
    y[2 * threadIdx.x + turn] = tile[1 - warp];
  }
}

TEST_CASE("a warp that others wait for shows a missing barrier that no turn by turn does") {
  const auto run = [](simt::Order order) {
    simt::set_schedule({order});
    std::vector<int> y(2 * 64);
    launch(&exchange_between_warps, dim3(1), dim3(64), 0, nullptr, y.data());
    return y;
  };
  const std::vector<int> forward = run(simt::Order::forward);
  for (size_t i = 0; i < forward.size(); ++i) CHECK(forward[i] == static_cast<int>(i % 2));
  CHECK(run(simt::Order::warp_by_warp) != forward);
}

__global__ void copy_one(const float* x, float* y) { simt::store(y, simt::load<float>(x)); }

TEST_CASE("an access beside the rows of a fenced matrix is an error, also where nobody uses its value") {
  Guarded<float> x(3, 4, 6), y(1);
  const auto copy_from = [&](std::ptrdiff_t element) {
    return error_of([&] { launch(&copy_one, dim3(1), dim3(1), 0, nullptr, x.data() + element, y.data()); });
  };
  for (const int inside : {0, 3, 6, 15}) CHECK(copy_from(inside).empty());
  for (const int beside : {-1, 4, 5, 16, 18}) CHECK(contains(copy_from(beside), "not in one of them"));
  CHECK(contains(copy_from(18), "begins 72 bytes from the first of 3 rows of 16 bytes, 24 apart"));
}

TEST_CASE("blocks run in the schedule's order") {
  const auto turns = [](simt::Schedule schedule) {
    simt::set_schedule(schedule);
    int next = 0;
    std::vector<int> turn(12);
    launch(&number_blocks, dim3(3, 2, 2), dim3(1), 0, nullptr, &next, turn.data());
    return turn;
  };
  const std::vector<int> forward = turns({simt::Order::forward});
  CHECK(forward == std::vector{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  CHECK(turns({simt::Order::reverse}) == std::vector{11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0});
  CHECK(turns({simt::Order::random, 1}) != forward);
  CHECK(turns({simt::Order::random, 1}) == turns({simt::Order::random, 1}));
  CHECK(turns({simt::Order::random, 1}) != turns({simt::Order::random, 2}));
}

TEST_CASE("launches that no device takes") {
  int next = 0, turn = 0;
  const auto status = [&](dim3 grid, dim3 block, size_t shared) {
    return launch(&number_blocks, grid, block, shared, nullptr, &next, &turn);
  };
  CHECK(status(dim3(0), dim3(1), 0) == cudaErrorInvalidConfiguration);
  CHECK(status(dim3(1), dim3(1025), 0) == cudaErrorInvalidConfiguration);
  CHECK(status(dim3(1, 65536), dim3(1), 0) == cudaErrorInvalidConfiguration);
  CHECK(status(dim3(1), dim3(1), 49153) == cudaErrorInvalidValue);
  CHECK(next == 0);
}

}  // namespace
}  // namespace xf::test
