// Every operation of the networks' training steps alone, each distinct one once, on any device: time, rates,
// and beside it a plain copy of as many bytes and, on GPUs, cuDNN's own call.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "benchmarks/ops/load_peers.h"
#include "benchmarks/ops/network_ops.h"
#include "benchmarks/ops/op_run.h"
#include "benchmarks/ops/peer_run.h"
#include "benchmarks/ops/timing.h"
#include "engine/core/error.h"
#include "engine/plan/roofline.h"
#include "kernels/cpu/backend.h"
#include "models/registry.h"
#include "tools/xferrun/command.h"
#include "tools/xferrun/command_line.h"
#include "tools/xferrun/gpu.h"
#include "tools/xferrun/session.h"

namespace xf::bench {
namespace {

constexpr int kClasses = 22;

struct Options {
  tool::DeviceOptions device;
  std::vector<std::string> models{"inception_v3", "resnet50"};
  std::string op = "*", gpu;
  int64_t batch = 16;
  double seconds = 0.2;
  bool each_way = false;
  bool json = false;
};

/// cuDNN's call beside ours.
struct PeerTime {
  std::string impl;
  Timing time;
};

struct Row {
  std::string model, impl;
  NetworkOp op;
  Work work;
  Timing time;
  std::optional<double> copy;   ///< bytes a second, where the device has the copy
  std::optional<double> least;  ///< seconds, where a GPU to estimate for was named
  std::optional<PeerTime> cudnn;

  /// How many times as long as ours cuDNN's takes.
  [[nodiscard]] double cudnn_ratio() const { return cudnn->time.median / time.median; }
};

/// The row's operation, for messages.
std::string named(const std::string& model, const NetworkOp& op) {
  return fmt::format("{} {} {} {}", model, op.op, op.detail, op.input);
}

double per_second(double amount, const Row& row) { return amount / row.time.median; }

/// Bytes a second of a plain copy that reads and writes `bytes` together: the concatenation of one operand.
/// It profits from the caches as the operation beside it does.
std::optional<double> copy_rate(Backend& backend, double bytes, double seconds) {
  constexpr int64_t kRow = 1024;
  const auto count = std::max<int64_t>(1, static_cast<int64_t>(bytes) / 8);
  const int64_t channels = std::min(kRow, count);
  Graph g;
  const Value x = g.input("x", {{1, 1, count / channels, channels}, DType::f32});
  const Value y = g.add(Concat{}, {x});
  try {
    OpRun run(backend, g.node(y), std::vector{x, y}, Math::f32);
    const Timing t = time_runs(run.stream(), seconds, [&] { run.once(); });
    return 2 * static_cast<double>(x.spec().bytes()) / t.median;
  } catch (const UnavailableError&) {
    return std::nullopt;
  }
}

void print_heading() {
  tool::print_line(fmt::format(
      "{:<15} {:<19} {:<20} {:>18} {:>18} {:<5} {:>5} {:>9} {:>9} {:>6} {:>7} {:>7} {:>6} {:>9} {:>6} {}",
      "network", "operation", "", "input", "output", "type", "count", "ms", "cuDNN", "ratio", "GB/s", "copy",
      "of it", "GFLOP/s", "of est", "implementation"));
}

void print(const Row& r) {
  const auto percent = [](std::optional<double> part) {
    return part ? fmt::format("{:.0f} %", 100 * *part) : std::string("-");
  };
  const double rate = per_second(r.work.bytes, r);
  tool::print_line(fmt::format(
      "{:<15} {:<19} {:<20} {:>18} {:>18} {:<5} {:>5} {:>9.4f} {:>9} {:>6} {:>7.1f} {:>7} {:>6} {:>9.1f} "
      "{:>6} {}",
      r.model, r.op.op, r.op.detail, r.op.input, r.op.output, r.op.type, r.op.count, 1e3 * r.time.median,
      r.cudnn ? fmt::format("{:.4f}", 1e3 * r.cudnn->time.median) : "-",
      r.cudnn ? fmt::format("{:.2f}", r.cudnn_ratio()) : "-", rate / 1e9,
      r.copy ? fmt::format("{:.1f}", *r.copy / 1e9) : "-",
      percent(r.copy ? std::optional(rate / *r.copy) : std::nullopt), per_second(r.work.flops, r) / 1e9,
      percent(r.least ? std::optional(*r.least / r.time.median) : std::nullopt),
      r.cudnn ? fmt::format("{}, {}", r.impl, r.cudnn->impl) : r.impl));
}

nlohmann::ordered_json json_of(const Timing& t) {
  return {{"median", t.median}, {"min", t.min}, {"max", t.max}};
}

void print_json(const Row& r, const tool::Session& session, const Options& o) {
  nlohmann::ordered_json j{{"model", r.model},
                           {"batch", o.batch},
                           {"precision", name(session.precision())},
                           {"operation", r.op.op},
                           {"detail", r.op.detail},
                           {"input", r.op.input},
                           {"output", r.op.output},
                           {"type", r.op.type},
                           {"count", r.op.count},
                           {"implementation", r.impl},
                           {"seconds", json_of(r.time)},
                           {"bytes", r.work.bytes},
                           {"flops", r.work.flops},
                           {"bytes_per_second", per_second(r.work.bytes, r)},
                           {"flops_per_second", per_second(r.work.flops, r)}};
  if (r.cudnn) {
    j["cudnn_implementation"] = r.cudnn->impl;
    j["cudnn_seconds"] = json_of(r.cudnn->time);
    j["cudnn_ratio"] = r.cudnn_ratio();
  }
  if (r.copy) {
    j["copy_bytes_per_second"] = *r.copy;
    j["of_copy"] = per_second(r.work.bytes, r) / *r.copy;
  }
  if (r.least) {
    j["estimate_seconds"] = *r.least;
    j["of_estimate"] = *r.least / r.time.median;
  }
  tool::print_line(tool::json_text(j));
}

/// cuDNN's call for an operation, to be kept as long as ours runs.
struct Beside {
  std::unique_ptr<PeerRun> run;  ///< none where there is no call for it
  bool same = false;             ///< whether it may be timed: it computes what ours does
};

/// Says on stderr where cuDNN refuses the operation, or computes something else.
Beside beside(Peers& peers, Backend& backend, const Node& node, OpRun& ours, const std::string& name) {
  Beside b;
  try {
    std::unique_ptr<Peer> peer = peer_of(peers, node);
    if (peer == nullptr) return b;
    b.run = std::make_unique<PeerRun>(backend, std::move(peer), node, ours);
    const std::string found = b.run->difference();
    b.same = found.empty();
    if (!b.same) fmt::print(stderr, "bench-ops: error: {}: cuDNN's results differ: {}\n", name, found);
  } catch (const Error& e) {
    fmt::print(stderr, "bench-ops: no figure of cuDNN's for {}: {}\n", name, e.what());
  }
  return b;
}

Row measure(const Options& o, Backend& backend, Precision precision, Peers* peers, const std::string& model,
            const NetworkOps& network, const NetworkOp& op, const std::optional<Gpu>& gpu) {
  const Node& node = network.program.graph->node(op.node);
  Row row{model, "", op, work_of(node, op.operands), {}, {}, {}, {}};
  {
    OpRun ours(backend, node, op.operands, precision == Precision::tf32 ? Math::tf32 : Math::f32);
    Beside peer;
    if (peers != nullptr) peer = beside(*peers, backend, node, ours, named(model, op));
    row.impl = ours.impl();
    row.time = time_runs(ours.stream(), o.seconds, [&] { ours.once(); });
    if (peer.same)
      row.cudnn = {peer.run->impl(), time_runs(ours.stream(), o.seconds, [&] { peer.run->once(); })};
  }
  row.copy = copy_rate(backend, row.work.bytes, o.seconds);
  if (gpu) row.least = roof(*gpu, precision, node, row.work).seconds;
  return row;
}

/// What computes the rows: the device, or the CPU once for each way to compute convolutions.
std::vector<std::unique_ptr<Backend>> each_way(const Options& o) {
  std::vector<std::unique_ptr<Backend>> all;
  if (!o.each_way) return all;
  if (o.device.device != "cpu")
    throw UsageError("--each-way", "tells how the CPU computes convolutions", "add --device cpu");
  const Determinism determinism =
      o.device.deterministic ? Determinism::any_threads : Determinism::fixed_threads;
  for (const cpu::Convolutions way : {cpu::Convolutions::direct, cpu::Convolutions::winograd})
    all.push_back(cpu::make_backend(determinism, way));
  return all;
}

/// None on other devices, and where the module is missing.
std::unique_ptr<Peers> peers_on(Backend& backend) {
  if (!backend.name().starts_with("cuda")) return nullptr;
  try {
    return load_peers(backend.stream(Lane::compute));
  } catch (const Error& e) {
    fmt::print(stderr, "bench-ops: no figures of cuDNN's: {}\n", e.what());
    return nullptr;
  }
}

void run(const Options& o) {
  const std::optional<Gpu> gpu = o.gpu.empty() ? std::nullopt : std::optional(tool::gpu_of(o.gpu));
  tool::Session session(o.device);
  const std::vector<std::unique_ptr<Backend>> ways = each_way(o);
  std::vector<Backend*> backends;
  backends.reserve(ways.size());
  for (const auto& way : ways) backends.push_back(way.get());
  if (backends.empty()) backends.push_back(&session.backend());
  const std::unique_ptr<Peers> peers = peers_on(session.backend());
  TrainOptions train;
  train.batch = o.batch;
  if (!o.json) print_heading();
  for (const std::string& model : o.models) {
    const NetworkSpec spec = tool::make_network(model, tool::default_dialect(model, ""), kClasses);
    const NetworkOps network = network_ops(spec, train, session.precision());
    for (const NetworkOp& op : network.ops) {
      if (!glob_match(o.op, op.op)) continue;
      try {
        std::string last;
        for (Backend* backend : backends) {
          const Row row = measure(o, *backend, session.precision(), peers.get(), model, network, op, gpu);
          if (row.impl == last) continue;
          last = row.impl;
          o.json ? print_json(row, session, o) : print(row);
        }
      } catch (const UnavailableError& e) {
        fmt::print(stderr, "bench-ops: skipped {}: {}\n", named(model, op), e.what());
      }
    }
  }
}

}  // namespace
}  // namespace xf::bench

int main(int argc, char** argv) {
  CLI::App app(
      "Times every operation of the networks' training steps alone, each distinct one once, beside a plain "
      "copy of as many bytes and, on GPUs, beside cuDNN's own call.",
      "bench-ops");
  xf::bench::Options o;
  app.add_option("--model", o.models, "the networks")->capture_default_str();
  app.add_option("--op", o.op, "only operations whose names match this glob (conv2d*, bn_act, …)")
      ->capture_default_str();
  app.add_option("--batch", o.batch, "images per step")->check(CLI::Range(2, 65536))->capture_default_str();
  app.add_option("--seconds", o.seconds, "for each operation, and for each of what stands beside it")
      ->check(xf::tool::above_zero())
      ->capture_default_str();
  xf::tool::add_estimate_option(app, o.gpu, "tell what part of a device's data sheet an operation reaches:");
  app.add_flag("--each-way", o.each_way,
               "on the CPU: convolutions directly and by Winograd, a row each, whichever a plan would take");
  app.add_flag("--json", o.json, "a JSON line for each operation");
  xf::tool::add_device_options(app, o.device);
  for (const char* option : {"--allow-reference", "--profile"}) app.remove_option(app.get_option(option));
  try {
    CLI11_PARSE(app, argc, argv);
    xf::bench::run(o);
  } catch (const xf::Error& e) {
    fmt::print(stderr, "bench-ops: error: {}\n{}\n", e.what(), e.remedy());
    return 1;
  }
  return 0;
}
