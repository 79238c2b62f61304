#include "engine/analyze/distances.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/core/error.h"
#include "engine/core/threads.h"

namespace xf {

Distances::Distances(const Points& points)
    : count_(points.count), dims_(points.dims), columns_(points.values.size()) {
  for (int64_t i = 0; i < count_; ++i)
    for (int64_t d = 0; d < dims_; ++d)
      columns_[static_cast<size_t>(d * count_ + i)] = points.values[static_cast<size_t>(i * dims_ + d)];
}

int64_t Distances::size_of(int64_t block) const { return std::min(kBlock, count_ - block * kBlock); }

void Distances::squared(std::span<const float> point, int64_t block, std::span<float> out) const {
  std::fill(out.begin(), out.end(), 0.0F);
  const float* column = columns_.data() + block * kBlock;
  for (int64_t d = 0; d < dims_; ++d, column += count_) {
    const float x = point[static_cast<size_t>(d)];
    for (size_t j = 0; j < out.size(); ++j) {
      const float difference = column[j] - x;
      out[j] += difference * difference;
    }
  }
}

namespace {

using Candidate = std::pair<float, int32_t>;  // squared distance, index

/// The k smallest that were offered, as a heap with the largest in front.
void offer(std::vector<Candidate>& heap, size_t k, Candidate candidate) {
  if (heap.size() == k) {
    if (!(candidate < heap.front())) return;
    std::pop_heap(heap.begin(), heap.end());
    heap.back() = candidate;
  } else {
    heap.push_back(candidate);
  }
  std::push_heap(heap.begin(), heap.end());
}

}  // namespace

Neighbours nearest_neighbours(const Points& queries, const Points& points, int64_t k) {
  if (k < 1 || k > points.count)
    throw UsageError("neighbours",
                     fmt::format("{} are asked for, where there are {} points", k, points.count));
  const Distances distances(points);
  Neighbours found{k, {}, {}};
  found.index.resize(static_cast<size_t>(queries.count * k));
  found.squared.resize(static_cast<size_t>(queries.count * k));
  constexpr int64_t kRows = 32;  // that share each block of points while it is in the cache
  parallel_for((queries.count + kRows - 1) / kRows, [&](int64_t group) {
    const int64_t first = group * kRows, rows = std::min(kRows, queries.count - first);
    std::vector<std::vector<Candidate>> heaps(static_cast<size_t>(rows));
    std::vector<float> squared(Distances::kBlock);
    for (int64_t block = 0; block < distances.blocks(); ++block) {
      const auto out = std::span(squared).first(static_cast<size_t>(distances.size_of(block)));
      for (int64_t r = 0; r < rows; ++r) {
        distances.squared(queries.row(first + r), block, out);
        for (size_t j = 0; j < out.size(); ++j)
          offer(heaps[static_cast<size_t>(r)], static_cast<size_t>(k),
                {out[j], static_cast<int32_t>(block * Distances::kBlock + static_cast<int64_t>(j))});
      }
    }
    for (int64_t r = 0; r < rows; ++r) {
      auto& heap = heaps[static_cast<size_t>(r)];
      std::sort_heap(heap.begin(), heap.end());
      for (int64_t n = 0; n < k; ++n) {
        const auto [distance, index] = heap[static_cast<size_t>(n)];
        const auto at = static_cast<size_t>((first + r) * k + n);
        found.index[at] = index;
        found.squared[at] = distance;
      }
    }
  });
  return found;
}

Neighbours nearest_neighbours(const Points& points, int64_t k) {
  return nearest_neighbours(points, points, k);
}

}  // namespace xf
