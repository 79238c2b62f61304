// kernels/cuda/block_reduce.h: every thread gets the result, at every call.

#include "kernels/cuda/block_reduce.h"

#include <doctest/doctest.h>

#include <vector>

#include "tests/simt/orders.h"

namespace xf::test {
namespace {

constexpr int kCalls = 4;

// Two sums a call, of numbers that differ from call to call; y is [call][sum][thread].
__global__ void reduce_again_and_again(double* y) {
  for (int call = 0; call < kCalls; ++call) {
    const double mine = threadIdx.x + 1;
    double sum[2] = {call * mine, mine * mine};
    cuda::block_reduce<cuda::Plus>(sum);
    for (int j = 0; j < 2; ++j) simt::store(y + (call * 2 + j) * blockDim.x + threadIdx.x, sum[j]);
  }
}

TEST_CASE("a block's reduction gives every thread the sums, however often it is called") {
  for (const unsigned threads : {32U, 96U, 1024U}) {
    CAPTURE(threads);
    in_every_order([&] {
      std::vector<double> y(size_t{kCalls} * 2 * threads);
      REQUIRE(simt::launch(&reduce_again_and_again, dim3(1), dim3(threads), 0, nullptr, y.data()) ==
              cudaSuccess);
      const double n = threads;
      int wrong = 0;
      for (size_t i = 0; i < y.size(); ++i) {
        const size_t call = i / threads / 2;
        const bool squares = i / threads % 2 == 1;
        const double linear = static_cast<double>(call) * n * (n + 1) / 2;
        wrong += static_cast<int>(y[i] != (squares ? n * (n + 1) * (2 * n + 1) / 6 : linear));
      }
      CHECK(wrong == 0);
    });
  }
}

}  // namespace
}  // namespace xf::test
