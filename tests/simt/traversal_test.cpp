// kernels/cuda/traversal.h: each element is visited once, in vectors where the operands' places allow it.

#include "kernels/cuda/traversal.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "tests/simt/orders.h"

namespace xf::test {
namespace {

// At the first element of each visit: how many elements it took. Visits that overlap add up to no good.
struct Visits {
  cuda::View<float> y;
  template <int N>
  void run(int64_t row, int64_t column) const {
    for (int j = 0; j < N; ++j) y.at(row, column)[j] += N;
  }
};

struct Place {
  cuda::Extent extent;
  int64_t stride;
  int64_t offset = 0;  // elements past 16 bytes
};

// How often each width was met. Fails where an element was visited by more than one, or a gap by any.
struct Widths {
  int64_t four = 0, one = 0;
};

Widths visit(const Place& p, bool by_channel = false) {
  const int64_t rows = p.extent.rows, all = (rows - 1) * p.stride + p.extent.columns;
  std::vector<float> memory(static_cast<size_t>(all + p.offset + 8));
  float* data = memory.data();
  while (reinterpret_cast<uintptr_t>(data) % 16 != 0) ++data;
  data += p.offset;
  cuda::Traversal<4> traversal(p.extent);
  const cuda::View<float> y{data, p.stride};
  if (by_channel) traversal.by_channel();
  REQUIRE(traversal.over(y).run(Visits{y}, nullptr) == cudaSuccess);
  Widths found;
  int64_t others = 0;
  for (int64_t i = 0; i < all; ++i) {
    const bool inside = i % p.stride < p.extent.columns;
    found.four += inside && data[i] == 4 ? 1 : 0;
    found.one += inside && data[i] == 1 ? 1 : 0;
    others += inside || data[i] == 0 ? 0 : 1;
  }
  CHECK(found.four + found.one == rows * p.extent.columns);
  CHECK(others == 0);
  CHECK(std::all_of(data + all, memory.data() + memory.size(), [](float v) { return v == 0; }));
  return found;
}

}  // namespace

TEST_CASE("rows without gaps are one, whatever their length") {
  in_every_order([] {
    for (const int64_t columns : {1, 3, 8, 17, 33, 100}) {
      const Widths w = visit({{30, columns}, columns});
      CHECK(w.one == 30 * columns % 4);
    }
  });
}

TEST_CASE("rows with gaps use vectors where each begins on one") {
  in_every_order([] {
    for (const int64_t columns : {1, 3, 8, 17, 33, 100, 1000}) {
      CHECK(visit({{30, columns}, (columns + 11) / 4 * 4}).one == 30 * (columns % 4));
      CHECK(visit({{30, columns}, (columns + 11) / 4 * 4 + 1}).four == 0);
      CHECK(visit({{30, columns}, (columns + 11) / 4 * 4, 2}).four == 0);
    }
  });
}

TEST_CASE("rows stay rows where the column is a channel") {
  CHECK(visit({{30, 17}, 17}, true).four == 0);
  CHECK(visit({{30, 16}, 16}, true).one == 0);
}

TEST_CASE("more elements than a launch has threads") {
  constexpr int64_t kThreads = 4096 * 256;
  CHECK(visit({{1, 4 * kThreads + 4093}, 4 * kThreads + 4093}).one == 1);
  CHECK(visit({{kThreads + 300, 1}, 2}).four == 0);
}

}  // namespace xf::test
