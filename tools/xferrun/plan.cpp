#include <fmt/format.h>

#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "engine/core/error.h"
#include "engine/core/threads.h"
#include "engine/data/loader.h"
#include "engine/plan/explain.h"
#include "engine/train/largest_batch.h"
#include "models/registry.h"
#include "tools/xferrun/command.h"
#include "tools/xferrun/command_line.h"
#include "tools/xferrun/gpu.h"
#include "tools/xferrun/memory_estimate.h"
#include "tools/xferrun/plan_estimate.h"
#include "tools/xferrun/plan_measure.h"

namespace xf::tool {

namespace {

struct PlanOptions {
  DeviceOptions device;
  std::string model, dialect, input_size, optimizer = "sgd", gpu, out = ".";
  int64_t batch = 16, images = 0;
  int accumulate = 1, classes = 22, ranks = 1, epochs = 10;
  double ema = 0, momentum = 0.9;
  uint64_t memory_limit = 0;  ///< bytes; 0: none
  bool explain = false, json = false, measure = false;
};

constexpr int64_t kMostBatch = 65536;

TrainOptions train_options(const PlanOptions& o, const Session& session) {
  TrainOptions train;
  train.batch = o.batch;
  train.ranks = o.ranks;
  train.precision = session.precision();
  train.allow_reference = session.allow_reference();
  train.update.rule.kind = parse_optimizer(o.optimizer);
  train.update.rule.momentum = static_cast<float>(o.momentum);
  train.update.rule.ema_decay = static_cast<float>(o.ema);
  train.update.accumulate = o.accumulate;
  return train;
}

/// What one rank computes, without the others.
TrainOptions alone(TrainOptions train) {
  train.batch = batch_of_rank(train);
  train.ranks = 1;
  return train;
}

size_t image_bytes(const NetworkSpec& spec, int64_t batch) {
  return static_cast<size_t>(batch * spec.height * spec.width * spec.channels);
}

/// The largest --batch with which no process takes more than the limit; 0: none.
int64_t largest_batch_within(const PlanOptions& o, const NetworkSpec& spec, const TrainOptions& train,
                             const MemoryEstimate& e, Backend& backend) {
  constexpr int64_t kLeast = 2;  // images of a rank
  const auto most = [&](int64_t batch) {
    TrainOptions other = train;
    other.batch = o.ranks * batch;
    MemoryEstimate its =
        estimate_memory(plan_training(spec, other, backend), image_bytes(spec, batch), e.communication);
    its.process = e.process;  // which every network that is compiled here makes larger
    return its.most();
  };
  return o.ranks * largest_batch(kLeast, kMostBatch / o.ranks + 1, o.memory_limit, most);
}

/// What a user of a batch system wants to know besides the memory.
struct Preflight {
  std::optional<int64_t> largest_batch;
  std::optional<Measurement> measured;
};

nlohmann::ordered_json steps_json(const Plan& plan) {
  nlohmann::ordered_json steps = nlohmann::ordered_json::array();
  for (const ExplainedStep& s : explain(plan))
    steps.push_back({{"phase", s.phase},
                     {"layer", s.name},
                     {"operation", s.op},
                     {"implementation", s.impl},
                     {"shape", {s.shape.n, s.shape.h, s.shape.w, s.shape.c}},
                     {"type", s.dtype},
                     {"bytes", s.bytes},
                     {"where", s.where},
                     {"offset", s.offset},
                     {"workspace", s.workspace}});
  return steps;
}

nlohmann::ordered_json to_json(const PlanOptions& o, const MemoryEstimate& e, const Preflight& p) {
  nlohmann::ordered_json j{
      {"peak_bytes", e.peak()},  {"parameter_bytes", e.parameters}, {"activation_bytes", e.activations},
      {"image_bytes", e.images}, {"process_bytes", e.process},      {"communication_bytes", e.communication},
      {"most_bytes", e.most()},  {"checkpoint_bytes", e.parameters}};
  if (p.largest_batch) j["largest_batch"] = *p.largest_batch;
  if (!p.measured) return j;
  j["step_seconds"] = p.measured->step_seconds;
  j["images_per_second"] = static_cast<double>(o.batch) / p.measured->step_seconds;
  j["checkpoint_seconds"] = p.measured->checkpoint_seconds;
  j["stop_seconds"] = stop_seconds(*p.measured, o.accumulate);
  if (o.images == 0) return j;
  j["epoch_seconds"] = epoch_seconds(*p.measured, o.images, o.batch, o.accumulate);
  j["training_seconds"] = o.epochs * j["epoch_seconds"].get<double>();
  return j;
}

std::string duration(double seconds) {
  constexpr double kMinute = 60, kHour = 3600;
  if (seconds < kMinute) return fmt::format("{:.2f} s", seconds);
  if (seconds < kHour) return fmt::format("{:.1f} min", seconds / kMinute);
  return fmt::format("{:.1f} h", seconds / kHour);
}

std::string memory_text(const PlanOptions& o, const MemoryEstimate& e) {
  constexpr double kMiB = 1024.0 * 1024.0;
  const auto mib = [](size_t bytes) { return static_cast<double>(bytes) / kMiB; };
  std::string text;
  const auto row = [&](const char* what, size_t bytes) {
    text += fmt::format("{:<43}{:>11.1f} MiB\n", what, mib(bytes));
  };
  row("parameters, optimizer and batch-norm state", e.parameters);
  row("activations, gradients and workspaces", e.activations);
  row("images", e.images);
  row("program and libraries", e.process);
  if (o.ranks > 1) row("gradients on their way to other ranks", e.communication);
  row("peak", e.peak());
  text += fmt::format("and {:.1f} MiB more while a checkpoint of that size is written\n", mib(e.parameters));
  text +=
      fmt::format("and up to {:.0f} MiB of decoded images of each part of the data, kept between epochs\n",
                  mib(LoaderOptions{}.cache_limit));
  return text + fmt::format("at most {:.1f} MiB{}", mib(e.most()), o.ranks > 1 ? " a rank" : "");
}

std::string measured_text(const PlanOptions& o, const Measurement& m) {
  const double stop = stop_seconds(m, o.accumulate);
  constexpr double kMinute = 60;
  std::string text = fmt::format("measured with {} threads on random images{}:\n", threads(),
                                 o.ranks > 1 ? ", one rank alone, what it waits for others not in it" : "");
  text += fmt::format("a step of {} images: {:.3f} s, {:.1f} images/s\n", o.batch, m.step_seconds,
                      static_cast<double>(o.batch) / m.step_seconds);
  text += fmt::format("a checkpoint in {}: {:.2f} s\n", o.out, m.checkpoint_seconds);
  text += fmt::format("a stop: {} at most after its signal: --signal=B:USR1@{:.0f} leaves time",
                      duration(stop), kMinute * std::ceil(2 * stop / kMinute));
  if (o.images == 0) return text;
  const double epoch = epoch_seconds(m, o.images, o.batch, o.accumulate);
  return text +
         fmt::format("\nan epoch of {} images: {}; {} epochs: {}; without validation and reading of files",
                     o.images, duration(epoch), o.epochs, duration(o.epochs * epoch));
}

void print_text(const PlanOptions& o, const MemoryEstimate& e, const Preflight& p) {
  print_line(memory_text(o, e));
  if (p.largest_batch)
    print_line(*p.largest_batch > 0
                   ? fmt::format("the largest within --memory-limit: --batch {}", *p.largest_batch)
                   : std::string("no batch of this network fits within --memory-limit"));
  if (p.measured) print_line(measured_text(o, *p.measured));
}

void check(const PlanOptions& o) {
  if (!o.measure && o.images > 0)
    throw UsageError("--images", "needs --measure", "an epoch's time follows from a measured step's");
}

void run(const PlanOptions& o) {
  check(o);
  // A wrong file is better said before the network is compiled.
  const std::optional<Gpu> gpu = o.gpu.empty() ? std::nullopt : std::optional(gpu_of(o.gpu));
  Session session(o.device);
  Dialect dialect = default_dialect(o.model, o.dialect);
  settle_input_size(dialect, o.input_size);
  const NetworkSpec spec = make_network(o.model, dialect, o.classes);
  const TrainOptions train = train_options(o, session);
  const TrainingPlan plan = plan_training(spec, train, session.backend());
  const MemoryEstimate e =
      estimate_memory(plan, image_bytes(spec, batch_of_rank(train)), communication_bytes(o.ranks));
  // In the precision that was asked for, which this machine may lack.
  const auto least = [&] {
    return estimate_training(spec, alone(train), parse_precision(o.device.precision), *gpu);
  };
  Preflight preflight;
  if (o.memory_limit > 0)
    preflight.largest_batch = largest_batch_within(o, spec, train, e, session.backend());
  if (o.measure) preflight.measured = measure_training(spec, alone(train), o.classes, session, o.out);
  const Detail detail = o.explain ? Detail::operations : Detail::kinds;
  if (o.json) {
    nlohmann::ordered_json j = to_json(o, e, preflight);
    if (o.explain) j["steps"] = steps_json(plan.plan);
    if (gpu) j["estimate"] = to_json(least(), detail);
    print_line(j.dump());
    return;
  }
  if (o.explain) {
    print_line(explain_table(plan.plan));
    std::string names;
    for (const auto& [name, value] : plan.plan.graph().names()) names += " " + name;
    print_line("maps that features --layer takes:" + names);
  }
  print_line(fmt::format("training {} on batches of {}{}, {}, {}", full_name(o.model, dialect), o.batch,
                         o.ranks > 1 ? fmt::format(" shared by {} ranks", o.ranks) : "",
                         name(session.precision()), session.backend().name()));
  print_text(o, e, preflight);
  if (gpu) print_line("\n" + estimate_text(least(), detail));
}

}  // namespace

void add_plan(CLI::App& app) {
  CLI::App& command =
      add_command(app, "plan", "how much memory and time a training takes and what computes it, beforehand",
                  "xferrun plan --model inception_v3 --batch 16 --explain\n"
                  "  xferrun plan --model resnet50 --batch 256 --precision bf16 --estimate h100\n"
                  "  xferrun plan --model resnet50 --memory-limit 8G --measure --images 6000 --out /scratch");
  const auto o = std::make_shared<PlanOptions>();
  command.add_option("--model", o->model, "the network, as in fine-tune")
      ->check(word_of(find_model))
      ->required();
  command.add_option("--batch", o->batch, "images per step, of all ranks together")
      ->check(CLI::Range(int64_t{2}, kMostBatch))
      ->capture_default_str();
  command.add_option("--classes", o->classes, "outputs of the last layer")
      ->check(CLI::Range(2, 100000))
      ->capture_default_str();
  command.add_option("--dialect", o->dialect, "keras, torchvision or caffe")->check(word_of(parse_family));
  command.add_option("--input-size", o->input_size, "rows and columns of the images: HxW")
      ->check(word_of(parse_input_size));
  command.add_option("--optimizer", o->optimizer, "sgd, adam, adamw or adadelta")
      ->check(word_of(parse_optimizer))
      ->capture_default_str();
  command.add_option("--momentum", o->momentum, "of sgd; 0 needs no memory for it")
      ->check(between(0, 0.9999))
      ->capture_default_str();
  command.add_option("--accumulate", o->accumulate, "steps per update")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_option("--ema", o->ema, "decay of averaged weights; 0: none")
      ->check(between(0, 0.99999))
      ->capture_default_str();
  command.add_flag("--explain", o->explain,
                   "every step: layer, operation, implementation, shape, bytes, offset");
  command
      .add_option("--ranks", o->ranks,
                  "processes that share each batch, as with mpirun -n; what is told is of one of them")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  command
      .add_option(
          "--memory-limit", o->memory_limit,
          "say which is the largest --batch that a process with so much memory can take (8G, 7500M), a "
          "checkpoint\nin writing and decoded images included; 8G is 8 GiB, as in Slurm's --mem")
      ->transform(CLI::AsSizeValue(false).description("SIZE"))
      ->check(above_zero().description(""));
  command.add_flag(
      "--measure", o->measure,
      "train seven steps on random images and write a checkpoint: seconds of a step (the median, the "
      "first two\nleft out), of a checkpoint, and of a stop by a signal");
  command.add_option("--out", o->out, "with --measure: the folder that gets the checkpoint for a moment")
      ->capture_default_str();
  command.add_option("--images", o->images, "with --measure: of the training part, for the time of an epoch")
      ->check(CLI::PositiveNumber);
  command.add_option("--epochs", o->epochs, "with --images: for the time of a training")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  add_estimate_option(command, o->gpu,
                      "the least time of a step on a GPU, by its data sheet (a roofline; nothing runs):");
  command.add_flag("--json", o->json, "one JSON document");
  add_device_options(command, o->device);
  add_config_option(command);
  command.callback([o] { run(*o); });
}

}  // namespace xf::tool
