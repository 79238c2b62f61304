// Which engine is chosen for a convolution.

#include "kernels/cuda/conv_choice.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

#include "tests/support/temporary_folder.h"

namespace xf::test {
namespace {

using cuda::ConvPlans;
using cuda::Libraries;

constexpr Conv2d kWindow{3, 3, 1, 1, {1, 1, 1, 1}, Activation::none};

// XDG_CACHE_HOME is `now` for as long as it lives.
class CacheHome {
 public:
  explicit CacheHome(const std::filesystem::path& now) { ::setenv("XDG_CACHE_HOME", now.c_str(), 1); }
  ~CacheHome() { ::setenv("XDG_CACHE_HOME", before_.c_str(), 1); }
  CacheHome(const CacheHome&) = delete;
  CacheHome& operator=(const CacheHome&) = delete;

 private:
  std::string before_ = std::getenv("XDG_CACHE_HOME");
};

struct Choice {
  TemporaryFolder folder;
  CacheHome home{folder.path()};
  Libraries libraries{0};
  cuda::ConvProblem problem{.window = kWindow, .x = {1, 6, 6, 8}, .y = {1, 6, 6, 8}};
  ConvPlans plans{problem, {libraries.cudnn(), {}}, libraries.workspace_limit()};

  int choose(Determinism determinism) { return cuda::choose_engine(plans, problem, libraries, determinism); }
  /// The first engine from `begin` on that can be built.
  int next(int begin) {
    while (!plans.build(begin)) ++begin;
    return begin;
  }
  std::optional<std::string> remembered() { return libraries.engines().find(to_string(problem)); }
};

// On the stand-in the second of those that can be built is the fastest, and the third takes as long.
TEST_CASE("choice of an engine: the fastest, remembered; of those that take the same time the first named") {
  Choice c;
  const int second = c.next(c.next(0) + 1), third = c.next(second + 1);
  CHECK(third < c.plans.count());
  CHECK(c.choose(Determinism::fixed_threads) == second);
  CHECK(c.remembered() == c.plans.engine(second));
}

TEST_CASE("choice of an engine: what is remembered, where there still is such an engine") {
  Choice c;
  const int first = c.next(0), second = c.next(first + 1);
  c.libraries.engines().store(to_string(c.problem), c.plans.engine(first));
  CHECK(c.choose(Determinism::fixed_threads) == first);
  c.libraries.engines().store(to_string(c.problem), "none of them");
  CHECK(c.choose(Determinism::fixed_threads) == second);
}

TEST_CASE("choice of an engine: no trial where no timing may decide") {
  Choice c;
  CHECK(c.choose(Determinism::any_threads) == c.next(0));
  CHECK_FALSE(c.remembered());
}

}  // namespace
}  // namespace xf::test
