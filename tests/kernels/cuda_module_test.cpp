// The CUDA module from the program's side, on machines with and without a GPU.

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <iostream>
#include <string>
#include <vector>

#include "engine/core/error.h"
#include "engine/core/rng.h"
#include "engine/core/tensor.h"
#include "kernels/cuda/load.h"

namespace xf::test {
namespace {

// The GPUs; none, with the reason printed, where CUDA is not available.
std::vector<cuda::Device> gpus() {
  try {
    return cuda::inventory().devices;
  } catch (const UnavailableError& e) {
    std::cout << "skipped: no GPU to run on: " << e.what() << '\n';
    return {};
  }
}

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

TEST_CASE("batch normalisation on a GPU") {
  if (gpus().empty()) return;
  constexpr int64_t rows = 7 * 7 * 2, channels = 64;
  const auto backend = cuda::make_backend(0, Determinism::fixed_threads);
  Graph g;
  const Shape shape{2, 7, 7, channels};
  const Value x = g.input("x", {shape, DType::f32}), beta = g.param("beta", vector_shape(channels), {});
  const Value mean = g.state("mean", vector_shape(channels), {}),
              var = g.state("var", vector_shape(channels), {});
  const Value y = g.add(BnAct{}, {x, {}, beta, mean, var});
  const auto kernel = backend->lower(g.node(y));

  Tensor host(shape);
  Rng rng(1);
  for (float& v : host.as<float>()) v = static_cast<float>(3 + 2 * rng.normal());
  Stream& stream = backend->stream(Lane::compute);
  std::vector<Buffer> memory;
  const auto reserve = [&](const Spec& spec) {
    memory.push_back(backend->reserve(spec.bytes()));
    return Ref{memory.back().data.get(), spec, spec.shape.c};
  };
  std::vector<Ref> operands;
  for (const Value& v : g.node(y).inputs) operands.push_back(v ? reserve(v.spec()) : Ref{});
  for (const Spec& spec : g.node(y).outputs) operands.push_back(reserve(spec));
  memory.push_back(backend->reserve(kernel->workspace()));
  backend->upload(stream, operands[0].data, host.data(), host.bytes());
  kernel->run(stream, operands, {memory.back().data.get(), kernel->workspace()});
  Tensor out(shape);
  backend->download(stream, out.data(), operands[5].data, out.bytes());

  for (int64_t c = 0; c < channels; ++c) {
    double sum = 0, squares = 0;
    for (int64_t r = 0; r < rows; ++r) {
      const double v = out.as<float>()[static_cast<size_t>(r * channels + c)];
      sum += v;
      squares += v * v;
    }
    CHECK(std::abs(sum / rows) < 1e-5);
    CHECK(std::abs(squares / rows - 1) < 1e-4);  // eps is 1e-5 of a variance near 4
  }
}

}  // namespace
}  // namespace xf::test
