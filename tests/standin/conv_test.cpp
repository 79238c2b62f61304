// Convolutions on the CUDA backend beyond what the op suite asks of every backend.

#include <doctest/doctest.h>

#include <string>

#include "engine/core/error.h"
#include "kernels/cuda/module.h"
#include "tests/standin/cudnn/engine.h"
#include "tests/standin/device.h"

namespace xf::test {
namespace {

// The stand-in as it was, once the test is over.
class OtherMachine {
 public:
  ~OtherMachine() { standin::machine() = before_; }
  standin::Machine* operator->() { return &standin::machine(); }

 private:
  standin::Machine before_ = standin::machine();
};

constexpr Conv2d kWindow{3, 3, 1, 1, {1, 1, 1, 1}, Activation::none};

TEST_CASE("conv2d: tensor cores round f32 operands only when TF32 is asked for") {
  const auto backend = xferrun_cuda_module()->make_backend(0, Determinism::any_threads);
  Graph g;
  const Value x = g.input("x", {{1, 6, 6, 8}, DType::f32}), w = g.input("w", {{8, 3, 3, 8}, DType::f32});
  const Node& node = g.node(g.add(kWindow, {x, w}));
  CHECK(backend->lower(node)->impl() == backend->lower(node, Math::f32)->impl());
  CHECK(backend->lower(node)->impl() != backend->lower(node, Math::tf32)->impl());
}

TEST_CASE("conv2d: strict f32 is exact, repeatable, and waits for no compiler") {
  const auto backend = xferrun_cuda_module()->make_backend(0, Determinism::any_threads);
  Graph g;
  const Value x = g.input("x", {{1, 6, 6, 8}, DType::f32}), w = g.input("w", {{8, 3, 3, 8}, DType::f32});
  CHECK(backend->lower(g.node(g.add(kWindow, {x, w})))->impl() ==
        "cudnn:eng" + std::to_string(standin::cudnn::kPlain));
}

TEST_CASE("a cuDNN that this was not built for is one clear error") {
  OtherMachine machine;
  const int built_with = xferrun_cuda_module()->versions().cudnn_built_with;
  for (const int version : {built_with - 1, built_with - 10000, built_with + 10000}) {
    machine->cudnn_version = static_cast<size_t>(version);
    CAPTURE(version);
    CHECK(xferrun_cuda_module()->versions().cudnn == version);
    try {
      xferrun_cuda_module()->make_backend(0, Determinism::fixed_threads);
      FAIL("made a backend");
    } catch (const UnavailableError& e) {
      const std::string text = e.what();
      CHECK(text.find(cuda::cudnn_version_text(version)) != std::string::npos);
      CHECK(text.find(cuda::cudnn_version_text(built_with)) != std::string::npos);
      CHECK(text.find('\n') == std::string::npos);
    }
  }
  machine->cudnn_version = static_cast<size_t>(built_with) + 1;
  CHECK(xferrun_cuda_module()->make_backend(0, Determinism::fixed_threads)->name() == "cuda:0");
}

}  // namespace
}  // namespace xf::test
