// kernels/cuda/bias_grad.cu in every order of threads. The numbers are whole, so that every sum is exact.

#include "kernels/cuda/bias_grad.h"

#include <doctest/doctest.h>

#include "tests/simt/guarded.h"
#include "tests/simt/orders.h"

namespace xf::test {
namespace {

template <class T>
void check(int64_t rows, int channels, int64_t gap = 0) {
  CAPTURE(rows);
  CAPTURE(channels);
  CAPTURE(gap);
  in_every_order([&] {
    Guarded<T> dy(rows, channels, channels + gap);
    Guarded<float> db(channels), expected(channels);
    for (int64_t k = 0; k < channels; ++k) {
      float sum = 0;
      for (int64_t r = 0; r < rows; ++r) {
        const auto value = static_cast<float>((r * 7 + k * 5) % 13 - 4);
        dy.set(r, k, T(value));
        sum += value;
      }
      expected.set(0, k, sum);
    }
    Guarded<uint8_t> workspace(static_cast<int64_t>(cuda::bias_grad_workspace(rows, channels)));
    const cuda::BiasGradTensors t{rows, channels, dtype_of<T>::value, dy.data(), channels + gap, db.data()};
    REQUIRE(cuda::bias_grad(t, workspace.data(), nullptr) == 0);
    CHECK(db == expected);
    CHECK(db.intact());
    CHECK(workspace.intact());
  });
}

TEST_CASE_TEMPLATE("a bias's gradient, every shape", T, float, bfloat16, float16) {
  check<T>(1, 1);
  check<T>(49, 3);
  check<T>(49, 64, 16);
  check<T>(1000, 33, 2);
  check<T>(1400, 264);  // more splits than one thread's, and two blocks of channels
}

}  // namespace
}  // namespace xf::test
