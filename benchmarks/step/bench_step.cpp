// Whole steps of training or inference on synthetic images: images per second, time of a step, peak memory.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "engine/core/error.h"
#include "engine/train/trainer.h"
#include "tools/xferrun/command.h"
#include "tools/xferrun/command_line.h"
#include "tools/xferrun/memory_estimate.h"
#include "tools/xferrun/plan_measure.h"
#include "tools/xferrun/session.h"
#include "tools/xferrun/step_profile.h"
#include "tools/xferrun/world.h"

namespace xf {
namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

struct Options {
  tool::DeviceOptions device;
  std::string model, mode = "train", weights, dialect;
  int64_t batch = 16;
  int steps = 10, warmup = 2;
  bool json = false, breakdown = false;
};

constexpr int kClasses = 22;

struct Measured {
  std::vector<double> seconds;  ///< of each counted step
  size_t peak_bytes = 0;        ///< resident memory of the process; on a GPU, memory taken there
  double first = 0;             ///< from the start of the process's work to the end of the first step
};

template <class Step>
Measured measure(const Options& o, Clock::time_point start, const Step& step) {
  Measured m;
  step();
  m.first = seconds_since(start);
  for (int i = 1; i < o.warmup; ++i) step();
  for (int i = 0; i < o.steps; ++i) {
    const auto begin = Clock::now();
    step();
    m.seconds.push_back(seconds_since(begin));
  }
  return m;
}

Measured run(const Options& o, tool::Session& session, tool::StepProfile* profile, Clock::time_point start) {
  const size_t available = session.backend().available();
  Dialect dialect = tool::default_dialect(o.model, o.dialect);
  if (!o.weights.empty()) dialect = tool::dialect_of(weights::probe(o.weights), o.model, o.dialect);
  const NetworkSpec spec = tool::make_network(o.model, dialect, kClasses);
  std::map<std::string, Tensor> weights;
  if (!o.weights.empty()) weights = tool::read_weights(spec, o.weights, o.model, weights::Top::replaced);
  TrainOptions train;
  train.batch = o.batch;
  train.ranks = tool::world().size();
  const ImageBatch batch = tool::random_batch(spec, batch_of_rank(train), kClasses);
  const auto timed = [&](const auto& step) {
    Measured m = measure(o, start, step);
    Backend& backend = session.backend();
    m.peak_bytes = backend.name() == "cpu" ? tool::peak_resident_bytes() : available - backend.available();
    return m;
  };
  if (o.mode == "train") {
    train.precision = session.precision();
    train.allow_reference = session.allow_reference();
    Trainer trainer(spec, train, session.backend(), session.store(), session.memory(), weights,
                    tool::world());
    weights.clear();
    trainer.executor().observe(profile);
    // From the second on a step waits for the one before it, as in training: the device always has the next
    // one in its queue.
    int64_t steps = 0;
    return timed([&] {
      trainer.step(batch);
      if (steps++ != 1) static_cast<void>(trainer.loss());
    });
  }
  Inference network(spec, tool::inference_options(session, batch_of_rank(train)), session.backend(),
                    session.store(), session.memory());
  for (const auto& [name, tensor] : weights) session.store().set(name, tensor);
  session.store().initialise(network.plan().graph(), 0);
  network.refresh();
  network.observe(profile);
  return timed([&] {
    network.run(batch.images);
    static_cast<void>(network.result(0));
  });
}

void print(const Options& o, const Measured& m) {
  std::vector<double> sorted = m.seconds;
  std::sort(sorted.begin(), sorted.end());
  const double median = sorted[sorted.size() / 2];
  const nlohmann::ordered_json j{
      {"model", o.model},
      {"mode", o.mode},
      {"precision", o.device.precision},
      {"batch", o.batch},
      {"images_per_second", static_cast<double>(o.batch) / median},
      {"peak_bytes", m.peak_bytes},
      {"first_step_seconds", m.first},
      {"step_seconds", {{"median", median}, {"min", sorted.front()}, {"max", sorted.back()}}}};
  if (o.json) {
    tool::print_line(j.dump());
    return;
  }
  tool::print_line(fmt::format(
      "{} {} {}, batch {}: {:.2f} images/s, step {:.1f} ms ({:.1f} to {:.1f}), peak {:.0f} MiB, first "
      "step after {:.2f} s",
      o.model, o.mode, o.device.precision, o.batch, static_cast<double>(o.batch) / median, 1e3 * median,
      1e3 * sorted.front(), 1e3 * sorted.back(), static_cast<double>(m.peak_bytes) / (1 << 20), m.first));
}

}  // namespace
}  // namespace xf

int main(int argc, char** argv) {
  const auto start = xf::Clock::now();
  CLI::App app("Times whole steps of a network on synthetic images.", "bench-step");
  xf::Options o;
  app.add_option("--model", o.model, "the network")->required();
  app.add_option("--mode", o.mode, "train or infer")
      ->check(CLI::IsMember({"train", "infer"}))
      ->capture_default_str();
  app.add_option("--batch", o.batch, "images per step, of all ranks that mpirun starts")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--dialect", o.dialect, "keras, torchvision or caffe")
      ->check(xf::tool::word_of(xf::parse_family));
  app.add_option("--weights", o.weights, "start from this file, as fine-tune does");
  app.add_option("--steps", o.steps, "steps that are timed")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--warmup", o.warmup, "steps before them")
      ->check(CLI::Range(2, 1 << 20))
      ->capture_default_str();
  app.add_flag("--json", o.json, "one JSON document");
  app.add_flag("--breakdown", o.breakdown, "where the time goes, by operation and implementation, to stderr");
  xf::tool::add_device_options(app, o.device);
  try {
    CLI11_PARSE(app, argc, argv);
    const xf::tool::Membership membership;
    xf::tool::Session session(o.device);
    xf::tool::StepProfile own;
    xf::tool::StepProfile* profile = session.observer() == nullptr && o.breakdown ? &own : session.observer();
    const xf::Measured m = xf::run(o, session, profile, start);
    session.write_profile();
    if (o.breakdown) fmt::print(stderr, "{}", profile->table());
    xf::print(o, m);
  } catch (const xf::Error& e) {
    fmt::print(stderr, "bench-step: error: {}\n{}\n", e.what(), e.remedy());
    return 1;
  }
  return 0;
}
