#include "tools/xferrun/plan_estimate.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/plan/passes.h"
#include "engine/train/train_graph.h"
#include "tools/xferrun/gpu.h"

namespace xf::tool {

namespace {

constexpr double kMiB = 1024.0 * 1024.0;
constexpr const char* kMethod =
    "roofline: each operation moves its operands once at full bandwidth or computes at full speed, whichever "
    "takes longer; nothing ran";

/// What explain() calls the same operation.
struct Named {
  std::string layer;
  std::string_view op;
  Spec result;
};
Named named(const StepEstimate& e, const EstimatedOp& op) {
  const Node& n = e.program.graph->node(op.node);
  return {n.name, op_name(n.op), n.outputs[0]};
}

double peak_of(const StepEstimate& e) {
  switch (e.precision) {
    case Precision::f32: return e.gpu.f32;
    case Precision::tf32: return e.gpu.tf32;
    case Precision::bf16: return e.gpu.bf16;
    case Precision::f16: return e.gpu.f16;
  }
  return 0;
}

std::string operations_table(const StepEstimate& e) {
  size_t layer = 5;
  for (const EstimatedOp& op : e.least.ops) layer = std::max(layer, named(e, op).layer.size());
  std::string text =
      fmt::format("{:<{}} {:<20} {:>18} {:<5} {:>5} {:>10} {:>10} {:>11} {:<10}\n", "layer", layer,
                  "operation", "shape", "type", "runs", "GFLOP", "MiB", "least us", "bound by");
  for (const EstimatedOp& op : e.least.ops) {
    const Named n = named(e, op);
    text +=
        fmt::format("{:<{}} {:<20} {:>18} {:<5} {:>5} {:>10.4f} {:>10.3f} {:>11.2f} {:<10}\n", n.layer, layer,
                    n.op, to_string(n.result.shape), name(n.result.dtype), op.runs, op.work.flops / 1e9,
                    op.work.bytes / kMiB, 1e6 * op.roof.seconds, name(op.roof.bound));
  }
  return text;
}

std::string kinds_table(const StepEstimate& e) {
  std::string text = fmt::format("{:<20} {:>5} {:>10} {:>10} {:>11} {:>8} {:>16}\n", "operation", "count",
                                 "GFLOP", "MiB", "least us", "share", "bound by memory");
  for (const EstimatedKind& kind : by_kind(e.program, e.least))
    text += fmt::format("{:<20} {:>5} {:>10.3f} {:>10.2f} {:>11.1f} {:>6.1f} % {:>14.1f} %\n", kind.op,
                        kind.count, kind.flops / 1e9, kind.bytes / kMiB, 1e6 * kind.seconds,
                        100 * kind.seconds / e.least.seconds, 100 * kind.memory_seconds / kind.seconds);
  return text;
}

}  // namespace

StepEstimate estimate_training(const NetworkSpec& spec, const TrainOptions& train, Precision precision,
                               const Gpu& gpu) {
  const TrainGraph recorded = record_training(spec, train.batch, train.update, train.loss);
  StepEstimate e;
  e.gpu = gpu;
  e.precision = precision;
  e.program = rewrite(*recorded.graph, recorded.keep, precision);
  e.least = estimate(e.program, gpu, precision, train.update.accumulate);
  e.images = train.batch * train.update.accumulate;
  return e;
}

nlohmann::ordered_json to_json(const StepEstimate& e, Detail detail) {
  nlohmann::ordered_json j{{"method", kMethod},
                           {"gpu", to_json(e.gpu)},
                           {"precision", name(e.precision)},
                           {"images", e.images},
                           {"flops", e.least.work.flops},
                           {"bytes", e.least.work.bytes},
                           {"microseconds", 1e6 * e.least.seconds},
                           {"images_per_second", e.images_per_second()},
                           {"kinds", nlohmann::ordered_json::array()}};
  for (const EstimatedKind& kind : by_kind(e.program, e.least))
    j["kinds"].push_back({{"operation", kind.op},
                          {"count", kind.count},
                          {"flops", kind.flops},
                          {"bytes", kind.bytes},
                          {"microseconds", 1e6 * kind.seconds},
                          {"share", kind.seconds / e.least.seconds},
                          {"memory_bound_microseconds", 1e6 * kind.memory_seconds}});
  if (detail == Detail::kinds) return j;
  for (const EstimatedOp& op : e.least.ops) {
    const Named n = named(e, op);
    const Shape& s = n.result.shape;
    j["operations"].push_back({{"layer", n.layer},
                               {"operation", n.op},
                               {"shape", {s.n, s.h, s.w, s.c}},
                               {"type", name(n.result.dtype)},
                               {"runs", op.runs},
                               {"flops", op.work.flops},
                               {"bytes", op.work.bytes},
                               {"microseconds", 1e6 * op.roof.seconds},
                               {"bound", name(op.roof.bound)}});
  }
  return j;
}

std::string estimate_text(const StepEstimate& e, Detail detail) {
  std::string text =
      fmt::format("estimate for {} in {}, by its data sheet ({:.0f} GB/s, {:.1f} TFLOP/s); nothing ran\n",
                  e.gpu.name, name(e.precision), e.gpu.bytes / 1e9, peak_of(e) / 1e12);
  if (detail == Detail::operations) text += operations_table(e) + "\n";
  text += kinds_table(e);
  text += fmt::format(
      "estimate: an update of {} images is {:.1f} GFLOP and {:.1f} MiB and takes {:.2f} ms or more: at most "
      "{:.0f} images/s",
      e.images, e.least.work.flops / 1e9, e.least.work.bytes / kMiB, 1e3 * e.least.seconds,
      e.images_per_second());
  return text;
}

}  // namespace xf::tool
