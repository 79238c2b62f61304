// Which engine is chosen for a convolution. On the stand-in every trial takes the same time.

#include "kernels/cuda/conv_choice.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

#include "kernels/cuda/stream.h"
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

TEST_CASE("choice of an engine: of those that take the same time the heuristics' first, remembered") {
  Choice c;
  const int first = c.next(0);
  CHECK(c.choose(Determinism::fixed_threads) == first);
  CHECK(c.remembered() == c.plans.engine(first));
}

TEST_CASE("choice of an engine: what is remembered, where there still is such an engine") {
  Choice c;
  const int first = c.next(0), second = c.next(first + 1);
  c.libraries.engines().store(to_string(c.problem), c.plans.engine(second));
  CHECK(c.choose(Determinism::fixed_threads) == second);
  c.libraries.engines().store(to_string(c.problem), "none of them");
  CHECK(c.choose(Determinism::fixed_threads) == first);
}

TEST_CASE("choice of an engine: no trial where no timing may decide") {
  Choice c;
  CHECK(c.choose(Determinism::any_threads) == c.next(0));
  CHECK_FALSE(c.remembered());
}

TEST_CASE("choice of an engine: trials leave nothing on the stream of a convolution that ran before") {
  Choice c;
  cuda::CudaStream compute(0);
  c.libraries.queue_cudnn_on(compute.use());
  c.choose(Determinism::fixed_threads);
  CHECK_NOTHROW(compute.synchronize());  // the trials' memory is given back
}

}  // namespace
}  // namespace xf::test
