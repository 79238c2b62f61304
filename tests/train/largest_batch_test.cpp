#include "engine/train/largest_batch.h"

#include <doctest/doctest.h>

#include <cmath>

namespace xf::test {

TEST_CASE("largest batch: as a search through all of them finds it, in few steps") {
  const std::function<size_t(int64_t)> line = [](int64_t b) { return 1000 + 70 * static_cast<size_t>(b); };
  const std::function<size_t(int64_t)> stairs = [](int64_t b) {
    return 1000 + 560 * static_cast<size_t>((b + 7) / 8);
  };
  const std::function<size_t(int64_t)> curve = [](int64_t b) {
    return static_cast<size_t>(std::pow(static_cast<double>(b), 2.5));
  };
  for (const auto& bytes : {line, stairs, curve}) {
    for (const size_t available : {size_t{0}, size_t{1139}, size_t{1140}, size_t{5000}, size_t{30000}}) {
      for (const int64_t limit : {int64_t{2}, int64_t{3}, int64_t{100}, int64_t{1000}}) {
        int64_t expected = 0;
        for (int64_t b = 2; b < limit; ++b)
          if (bytes(b) <= available) expected = b;
        int asked = 0;
        const int64_t found = largest_batch(2, limit, available, [&](int64_t b) {
          ++asked;
          return bytes(b);
        });
        CAPTURE(available);
        CAPTURE(limit);
        CHECK(found == expected);
        CHECK(asked <= 22);
      }
    }
  }
}

}  // namespace xf::test
