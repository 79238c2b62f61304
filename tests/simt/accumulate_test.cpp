// kernels/cuda/accumulate.cu: more tensors than one launch takes, wherever they lie.

#include "kernels/cuda/accumulate.h"

#include <doctest/doctest.h>

#include <cmath>
#include <deque>
#include <vector>

#include "tests/simt/guarded.h"
#include "tests/simt/orders.h"

namespace xf::test {
namespace {

enum class Result : uint8_t { apart, in_sum };

struct Data {
  Guarded<float> sum, gradient, result;
  Data(int64_t count, int64_t offset)
      : sum(1, count, count, offset), gradient(1, count, count, 0), result(1, count, count, offset) {}
};

int64_t count_of(int64_t tensor) { return tensor % 50 == 7 ? 9001 : 1 + tensor % 11; }
float sum_of(int64_t tensor, int64_t i) { return static_cast<float>(tensor) + static_cast<float>(i) / 8; }
float gradient_of(int64_t tensor, int64_t i) {
  return static_cast<float>(i) - static_cast<float>(tensor) / 4;
}

void check(int64_t tensors, int32_t micro_batch, Result where) {
  StepParams step;
  step.micro_batch = micro_batch;
  std::deque<Data> data;
  std::vector<cuda::AccumulateTensor> table;
  for (int64_t t = 0; t < tensors; ++t) {
    const int64_t count = count_of(t);
    Data& d = data.emplace_back(count, t % 3);  // on a vector, and not
    for (int64_t i = 0; i < count; ++i) {
      d.sum.set(0, i, micro_batch == 0 ? NAN : sum_of(t, i));
      d.gradient.set(0, i, gradient_of(t, i));
    }
    table.push_back(
        {d.sum.data(), d.gradient.data(), where == Result::apart ? d.result.data() : d.sum.data(), count});
  }
  table[1].result = nullptr;
  REQUIRE(cuda::accumulate(&step, table, nullptr) == 0);
  int64_t wrong = 0;
  for (int64_t t = 0; t < tensors; ++t) {
    Data& d = data[static_cast<size_t>(t)];
    const Guarded<float>& result = where == Result::apart ? d.result : d.sum;
    for (int64_t i = 0; i < count_of(t) && t != 1; ++i) {
      const float expected = (micro_batch == 0 ? 0 : sum_of(t, i)) + gradient_of(t, i);
      wrong += result.get(0, i) == expected ? 0 : 1;
    }
    wrong += d.result.intact() && d.sum.intact() ? 0 : 1;
  }
  CHECK(wrong == 0);
  CHECK(std::isnan(data[1].result.get(0, 0)));  // nobody wanted it
}

}  // namespace

TEST_CASE("one table, several, and one that is just full") {
  in_every_order([] {
    for (const int64_t tensors : {2, 112, 113, 114, 250}) {
      check(tensors, 0, Result::apart);
      check(tensors, 2, Result::apart);
    }
    check(250, 0, Result::in_sum);
    check(250, 1, Result::in_sum);
  });
}

TEST_CASE("no tensor, no launch") {
  const StepParams step;
  CHECK(cuda::accumulate(&step, {}, nullptr) == 0);
}

}  // namespace xf::test
