#include "tests/standin/placed.h"

#include <algorithm>

namespace xf::standin {
namespace {

size_t bytes(const Placed& p) {
  if (p.offsets.empty()) return 0;
  return static_cast<size_t>(*std::ranges::max_element(p.offsets) + 1) * p.element_bytes;
}

}  // namespace

bool share_memory(const Placed& a, const Placed& b) {
  if (a.memory + bytes(a) <= b.memory || b.memory + bytes(b) <= a.memory) return false;
  std::vector<char> taken(bytes(a), 0);  // of a's range: the bytes that hold elements
  const auto a_size = static_cast<int64_t>(a.element_bytes), b_size = static_cast<int64_t>(b.element_bytes);
  for (const int64_t o : a.offsets) std::fill_n(taken.begin() + o * a_size, a_size, char{1});
  return std::ranges::any_of(b.offsets, [&](int64_t o) {
    const int64_t first = b.memory - a.memory + o * b_size;
    const int64_t from = std::max<int64_t>(first, 0),
                  to = std::min<int64_t>(first + b_size, static_cast<int64_t>(taken.size()));
    return from < to && std::any_of(taken.begin() + from, taken.begin() + to, [](char t) { return t != 0; });
  });
}

}  // namespace xf::standin
