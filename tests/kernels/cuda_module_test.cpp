// The CUDA module from the program's side, on machines with and without a GPU.

#include <doctest/doctest.h>

#include <string>

#include "engine/core/error.h"
#include "kernels/cuda/load.h"

namespace xf::test {
namespace {

TEST_CASE("CUDA versions read as people write them") {
  CHECK(cuda::version_text(13000) == "13.0");
  CHECK(cuda::version_text(12080) == "12.8");
  CHECK(cuda::version_text(0) == "none");
}

TEST_CASE("a GPU that is not there is one clear error") {
  try {
    cuda::make_backend(1000, Determinism::fixed_threads);
    FAIL("made a backend");
  } catch (const UnavailableError& e) {
    const std::string text = e.what();
    CAPTURE(text);
    CHECK(text.find('\n') == std::string::npos);
    CHECK(e.remedy().find("--device cpu") != std::string::npos);
  }
}

}  // namespace
}  // namespace xf::test
