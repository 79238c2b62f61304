// bench-ops: every convolution of InceptionV3 and ResNet50, in each direction and type, batch 16: time,
// GFLOP/s and implementation. Options are Google Benchmark's, e.g.
//   bench-ops --benchmark_filter='InceptionV3.*/forward/bf16' --benchmark_min_time=0.1

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "benchmarks/ops/network_convs.h"
#include "engine/core/rng.h"
#include "engine/graph/graph.h"
#include "kernels/cpu/backend.h"

namespace xf::bench {
namespace {

constexpr int64_t kBatch = 16;

enum class Direction : uint8_t { forward, data, weights };

/// A graph with one convolution and the node of one direction of it.
struct Case {
  Graph graph;
  Value value;
  Case(const NetworkConv& c, Direction direction, DType type) {
    Shape in = c.input;
    in.n = kBatch;
    const Value x = graph.input("x", {in, type});
    const Value w = graph.param("w", {c.outputs, c.op.kernel_h, c.op.kernel_w, in.c}, {});
    value = graph.add(c.op, {x, w});
    const Value dy = graph.input("dy", value.spec());
    if (direction == Direction::data) value = graph.add(ConvBwdData{c.op, in}, {dy, w});
    if (direction == Direction::weights) value = graph.add(ConvBwdWeights{c.op, w.shape()}, {x, dy});
  }
};

void fill(const Buffer& b, DType type, uint64_t seed) {
  Rng rng(seed);
  const size_t size = size_of(type);
  for (size_t i = 0; i + size <= b.bytes; i += size) {
    const auto v = static_cast<float>(rng.uniform(-1, 1));
    if (type == DType::bf16)
      reinterpret_cast<bfloat16*>(b.data.get() + i)[0] = bfloat16(v);
    else
      reinterpret_cast<float*>(b.data.get() + i)[0] = v;
  }
}

void run(benchmark::State& state, const NetworkConv& conv, Direction direction, DType type) {
  const auto backend = cpu::make_backend(Determinism::fixed_threads);
  const Case c(conv, direction, type);
  const Node& node = c.graph.node(c.value);
  const auto kernel = backend->lower(node);

  std::vector<Buffer> memory;
  std::vector<Ref> operands;
  const auto operand = [&](const Spec& spec, size_t bytes) {
    memory.push_back(backend->reserve(bytes));
    operands.push_back({memory.back().data.get(), spec, spec.shape.c});
  };
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const Spec& spec = node.inputs[i].spec();
    const Layout layout = kernel->wants(static_cast<int>(i));
    operand(spec, layout.id != 0 ? static_cast<size_t>(layout.bytes) : spec.bytes());
    if (layout.id == 0) fill(memory.back(), spec.dtype, i + 1);
  }
  operand(node.outputs[0], node.outputs[0].bytes());
  const Buffer scratch = backend->reserve(kernel->workspace());
  Stream& stream = backend->stream(Lane::compute);
  const auto once = [&] { kernel->run(stream, operands, {scratch.data.get(), kernel->workspace()}); };
  once();
  for (auto _ : state) once();

  const Shape& y = direction == Direction::forward
                       ? node.outputs[0].shape
                       : node.inputs[direction == Direction::data ? 0 : 1].shape();
  const double flops =
      2.0 * static_cast<double>(y.count() * conv.input.c) * conv.op.kernel_h * conv.op.kernel_w;
  state.counters["GFLOP/s"] = benchmark::Counter(flops * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["per_network"] = conv.count;
  state.SetLabel(kernel->impl());
}

void register_all() {
  const auto backend = cpu::make_backend(Determinism::fixed_threads);
  for (const NetworkConv& conv : network_convs())
    for (const DType type : {DType::f32, DType::bf16}) {
      std::string why;
      if (!backend->supports(type, why)) continue;
      for (const auto& [direction, text] :
           {std::pair(Direction::forward, "forward"), std::pair(Direction::data, "data"),
            std::pair(Direction::weights, "weights")}) {
        const Direction d = direction;
        benchmark::RegisterBenchmark(fmt::format("{}/{}/{}", conv.name, text, name(type)).c_str(),
                                     [conv, d, type](benchmark::State& state) { run(state, conv, d, type); })
            ->Unit(benchmark::kMillisecond)
            ->UseRealTime();
      }
    }
}

}  // namespace
}  // namespace xf::bench

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  xf::bench::register_all();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
