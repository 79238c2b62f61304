// concat and slice.

#include <fmt/format.h>

#include "tests/ops/cases/cases.h"

namespace xf::test {

std::vector<OpCase> channel_cases() {
  std::vector<OpCase> cases;
  const auto map = [](int64_t c) { return activation({2, 3, 4, c}); };
  for (const int64_t c : kChannels) {
    cases.push_back(with_gradients({fmt::format("{} and 6", c), Concat{}, {map(c), map(6)}}, {0, 1}));
    cases.push_back({fmt::format("{} of {} from 3", c, c + 5), Slice{3, c}, {map(c + 5)}});
    cases.push_back({fmt::format("first {} of {}", c, c + 1), Slice{0, c}, {map(c + 1)}});
  }
  cases.push_back(
      with_gradients({"five branches", Concat{}, {map(64), map(3), map(96), map(1), map(32)}}, {1, 3, 4}));
  cases.push_back({"one branch", Concat{}, {map(9)}});
  cases.push_back({"one position", Concat{}, {activation({1, 1, 1, 5}), activation({1, 1, 1, 7})}});
  cases.push_back({"everything", Slice{0, 9}, {map(9)}});
  return in_each_type(cases);
}

}  // namespace xf::test
