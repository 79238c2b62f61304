// An optimizer's step is captured once and replayed: it reads its numbers from the device, and keeps nothing
// of the call that was captured.

#include <doctest/doctest.h>

#include <array>
#include <cstring>
#include <memory>
#include <vector>

#include "kernels/cuda/module.h"
#include "kernels/cuda/stream.h"
#include "tests/ops/backends.h"

namespace xf::test {
namespace {

constexpr std::array<int64_t, 3> kCounts = {5, 9001, 64};
constexpr Spec kScale{{1, 1, 1, 2}, DType::f32};

struct Replayed {
  Replayed() : backend(std::move(backends(Determinism::fixed_threads).front())) {
    Optimize o;
    o.momentum = 0;
    std::vector<Value> in{graph.input("step", {vector_shape(sizeof(StepParams)), DType::u8})};
    memory.push_back(backend->reserve(sizeof(StepParams)));
    for (const int64_t count : kCounts) {
      const Spec spec{vector_shape(count), DType::f32};
      for (const char* name : {"p", "g"}) {
        in.push_back(graph.input(name + std::to_string(count), spec));
        memory.push_back(backend->reserve(spec.bytes()));
      }
      for (int i = 0; i < 3; ++i) in.emplace_back();
      o.tensors.push_back({});
    }
    in.push_back(graph.input("loss_scale", kScale));
    memory.push_back(backend->reserve(kScale.bytes()));
    node = &graph.node(graph.add(o, in));
    kernel = backend->lower(*node);
    scratch = backend->reserve(kernel->workspace());
  }

  /// Operands as the kernel is given them, for the length of the call; results lie in place.
  void run() {
    std::vector<Ref> refs{{memory[0].data.get(), {vector_shape(sizeof(StepParams)), DType::u8}, 0}};
    std::vector<Ref> results(2);
    for (size_t t = 0; t < kCounts.size(); ++t) {
      const Spec spec{vector_shape(kCounts[t]), DType::f32};
      refs.push_back({memory[1 + 2 * t].data.get(), spec, kCounts[t]});
      refs.push_back({memory[2 + 2 * t].data.get(), spec, kCounts[t]});
      for (int i = 0; i < 3; ++i) refs.emplace_back();
      results.push_back({memory[1 + 2 * t].data.get(), spec, kCounts[t]});
      for (int i = 0; i < 3; ++i) results.emplace_back();
    }
    const Ref scale{memory.back().data.get(), kScale, 2};
    refs.push_back(scale);
    results.push_back(scale);
    refs.insert(refs.end(), results.begin(), results.end());
    kernel->run(stream(), refs, {scratch.data.get(), scratch.bytes});
  }
  Stream& stream() { return backend->stream(Lane::compute); }
  void upload(size_t buffer, const void* host, size_t bytes) {
    backend->upload(stream(), memory[buffer].data.get(), static_cast<const std::byte*>(host), bytes);
    stream().synchronize();
  }

  std::unique_ptr<Backend> backend;
  Graph graph;
  const Node* node = nullptr;
  std::unique_ptr<Kernel> kernel;
  std::vector<Buffer> memory;  ///< step, then a parameter and its gradient for each tensor, the loss scale
  Buffer scratch;
};

}  // namespace

TEST_CASE("optimizers: a captured step follows what the device's memory holds when it is replayed") {
  Replayed r;
  cudaStream_t stream = cuda::cuda_stream(r.stream()).use();
  REQUIRE(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal) == cudaSuccess);
  r.run();
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t step = nullptr;
  REQUIRE(cudaStreamEndCapture(stream, &graph) == cudaSuccess);
  REQUIRE(cudaGraphInstantiate(&step, graph, 0) == cudaSuccess);

  // Powers of two, and so exact: parameters 1, less rate * gradient / loss scale at each step.
  float expected = 1;
  for (size_t t = 0; t < kCounts.size(); ++t) {
    const std::vector<float> ones(static_cast<size_t>(kCounts[t]), 1.0F);
    r.upload(1 + 2 * t, ones.data(), ones.size() * sizeof(float));
  }
  const std::array<float, 2> scale{8, 0};
  r.upload(1 + 2 * kCounts.size(), scale.data(), sizeof scale);
  for (const float rate : {0.5F, 0.25F, 0.125F}) {
    StepParams params;
    params.learning_rate = {rate, 0, 0, 0};
    const float gradient = 2 * rate;
    r.upload(0, &params, sizeof params);
    for (size_t t = 0; t < kCounts.size(); ++t) {
      const std::vector<float> g(static_cast<size_t>(kCounts[t]), gradient);
      r.upload(2 + 2 * t, g.data(), g.size() * sizeof(float));
    }
    REQUIRE(cudaGraphLaunch(step, stream) == cudaSuccess);
    expected -= rate * gradient / 8;
    for (size_t t = 0; t < kCounts.size(); ++t) {
      std::vector<float> got(static_cast<size_t>(kCounts[t]));
      r.backend->download(r.stream(), reinterpret_cast<std::byte*>(got.data()),
                          r.memory[1 + 2 * t].data.get(), got.size() * sizeof(float));
      CHECK(got == std::vector<float>(got.size(), expected));
    }
  }
  CHECK(cudaGraphExecDestroy(step) == cudaSuccess);
  CHECK(cudaGraphDestroy(graph) == cudaSuccess);
}

}  // namespace xf::test
