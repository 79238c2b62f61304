// kernels/cuda/philox.h and dropout.cu against engine/core/rng.h, bit for bit.

#include "kernels/cuda/dropout.h"

#include <doctest/doctest.h>

#include <limits>
#include <vector>

#include "engine/core/rng.h"
#include "kernels/cuda/philox.h"
#include "tests/simt/guarded.h"
#include "tests/simt/orders.h"

namespace xf::test {
namespace {

constexpr uint32_t kStream = 0x80000005U;

StepParams step_of(uint64_t seed, uint32_t counter) {
  StepParams s;
  s.seed = seed;
  s.counter = counter;
  return s;
}

__global__ void groups(const StepParams* step, int64_t first, uint32_t* words) {
  const Philox4 four = cuda::step_random(step, kStream).group(first + threadIdx.x);
  for (int k = 0; k < 4; ++k) simt::store(words + 4 * threadIdx.x + k, four.v[k]);
}

StepParams checked_step() { return step_of(0xfedcba9876543210U, 0xffffffffU); }

struct Run {
  int64_t count;
  float rate = 0.3F;
  int64_t offset = 0;  // elements past a vector
  int64_t first_image = 0, per_image = 1;
};

template <class T>
void check(const Run& run) {
  const auto [count, rate, offset, first_image, per_image] = run;
  StepParams step = checked_step();
  step.first_image = first_image;
  Guarded<T> x(1, count, count, offset), y(1, count, count, offset), expected(1, count, count, offset);
  for (int64_t i = 0; i < count; ++i) x.set(0, i, T(static_cast<float>(i % 97) - 48.5F));
  REQUIRE(cuda::dropout({count, dtype_of<T>::value, &step, x.data(), y.data(), per_image}, {rate, kStream},
                        nullptr) == 0);
  const int64_t before = first_image * per_image;
  for (int64_t i = 0; i < count; ++i) {
    const Philox4 four =
        philox(step.seed, uint64_t{kStream} << 32 | step.counter, static_cast<uint64_t>((before + i) / 4));
    const bool keep = unit_float(four.v[(before + i) % 4]) >= rate;
    expected.set(0, i, T(keep ? static_cast<float>(x.get(0, i)) / (1.0F - rate) : 0.0F));
  }
  CHECK(y == expected);
  CHECK(y.intact());
}

// What element 0 draws.
float first_number() {
  const StepParams step = checked_step();
  return unit_float(philox(step.seed, uint64_t{kStream} << 32 | step.counter, 0).v[0]);
}

}  // namespace

TEST_CASE("a group's words are the generator's") {
  for (const auto& [seed, counter] : {std::pair(uint64_t{0}, 0U), std::pair(~uint64_t{0}, ~0U),
                                      std::pair(uint64_t{0x123456789abcdef0U}, 41U)}) {
    for (const int64_t first : {int64_t{0}, int64_t{1} << 32, std::numeric_limits<int64_t>::max() - 31}) {
      const StepParams step = step_of(seed, counter);
      std::vector<uint32_t> words(4 * size_t{32});
      REQUIRE(simt::launch(&groups, dim3(1), dim3(32), 0, nullptr, &step, first, words.data()) ==
              cudaSuccess);
      for (size_t i = 0; i < words.size(); ++i) {
        const Philox4 four =
            philox(seed, uint64_t{kStream} << 32 | counter, static_cast<uint64_t>(first) + i / 4);
        CHECK(words[i] == four.v[i % 4]);
      }
    }
  }
}

TEST_CASE_TEMPLATE("dropout gives the bits that the CPU gives", T, float, bfloat16, float16) {
  in_every_order([] {
    for (const Run& r :
         std::vector<Run>{{1}, {2}, {3}, {5}, {8}, {31}, {1021}, {4099}, {1021, 0.3F, 1}, {64, 0}})
      check<T>(r);
    check<T>({8, first_number()});  // a number that equals the rate is kept
  });
}

TEST_CASE_TEMPLATE("dropout of a later rank's images goes on where the ranks before it end", T, float,
                   bfloat16, float16) {
  in_every_order([] {
    // Numbers before the first: 0, 1, 2 and 3 beyond a group of four; images of 4, 75, 6 and one number.
    for (const Run& r : std::vector<Run>{{64, 0.3F, 0, 3, 4},
                                         {150, 0.3F, 0, 3, 75},
                                         {150, 0.3F, 0, 2, 75},
                                         {150, 0.3F, 0, 5, 75},
                                         {1021, 0.3F, 0, 7, 6},
                                         {1021, 0.3F, 1, 7, 6},
                                         {5, 0.3F, 0, 3, 1},
                                         {31, 0.3F, 0, int64_t{1} << 40, 75}})
      check<T>(r);
  });
}

TEST_CASE("the step is read when the kernel runs") {
  StepParams step = step_of(7, 1);
  std::vector<float> x(1000, 1.0F), first(1000), second(1000);
  const auto run = [&](std::vector<float>& y) {
    return cuda::dropout({1000, DType::f32, &step, x.data(), y.data()}, {0.5F, 2}, nullptr);
  };
  REQUIRE(run(first) == 0);
  step.counter = 2;
  REQUIRE(run(second) == 0);
  CHECK(first != second);
}

}  // namespace xf::test
