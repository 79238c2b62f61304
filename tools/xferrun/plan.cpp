#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "engine/data/loader.h"
#include "engine/plan/explain.h"
#include "models/registry.h"
#include "tools/xferrun/command.h"
#include "tools/xferrun/command_line.h"
#include "tools/xferrun/gpu.h"
#include "tools/xferrun/memory_estimate.h"
#include "tools/xferrun/plan_estimate.h"

namespace xf::tool {

namespace {

struct PlanOptions {
  DeviceOptions device;
  std::string model, dialect, input_size, optimizer = "sgd", gpu;
  int64_t batch = 16;
  int accumulate = 1, classes = 22;
  double ema = 0, momentum = 0.9;
  bool explain = false, json = false;
};

void run(const PlanOptions& o) {
  // A wrong file is better said before the network is compiled.
  const std::optional<Gpu> gpu = o.gpu.empty() ? std::nullopt : std::optional(gpu_of(o.gpu));
  Session session(o.device);
  Dialect dialect = default_dialect(o.model, o.dialect);
  settle_input_size(dialect, o.input_size);
  const NetworkSpec spec = make_network(o.model, dialect, o.classes);
  TrainOptions train;
  train.batch = o.batch;
  train.precision = session.precision();
  train.allow_reference = session.allow_reference();
  train.update.rule.kind = parse_optimizer(o.optimizer);
  train.update.rule.momentum = static_cast<float>(o.momentum);
  train.update.rule.ema_decay = static_cast<float>(o.ema);
  train.update.accumulate = o.accumulate;
  const TrainingPlan plan = plan_training(spec, train, session.backend());
  const auto batch_bytes = static_cast<size_t>(o.batch * spec.height * spec.width * spec.channels);
  const MemoryEstimate e = estimate_memory(plan, batch_bytes);
  // In the precision that was asked for, which this machine may lack.
  const auto least = [&] {
    return estimate_training(spec, train, parse_precision(o.device.precision), *gpu);
  };
  const Detail detail = o.explain ? Detail::operations : Detail::kinds;
  if (o.json) {
    nlohmann::ordered_json j{
        {"peak_bytes", e.peak()},  {"parameter_bytes", e.parameters}, {"activation_bytes", e.activations},
        {"image_bytes", e.images}, {"process_bytes", e.process},      {"checkpoint_bytes", e.parameters}};
    if (o.explain) {
      j["steps"] = nlohmann::ordered_json::array();
      for (const ExplainedStep& s : explain(plan.plan))
        j["steps"].push_back({{"phase", s.phase},
                              {"layer", s.name},
                              {"operation", s.op},
                              {"implementation", s.impl},
                              {"shape", {s.shape.n, s.shape.h, s.shape.w, s.shape.c}},
                              {"type", s.dtype},
                              {"bytes", s.bytes},
                              {"where", s.where},
                              {"offset", s.offset},
                              {"workspace", s.workspace}});
    }
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
  constexpr double kMiB = 1024.0 * 1024.0;
  const auto mib = [](size_t bytes) { return static_cast<double>(bytes) / kMiB; };
  print_line(fmt::format("training {} on batches of {}, {}, {}", full_name(o.model, dialect), o.batch,
                         name(session.precision()), session.backend().name()));
  print_line(fmt::format("parameters, optimizer and batch-norm state {:>10.1f} MiB", mib(e.parameters)));
  print_line(fmt::format("activations, gradients and workspaces      {:>10.1f} MiB", mib(e.activations)));
  print_line(fmt::format("images                                     {:>10.1f} MiB", mib(e.images)));
  print_line(fmt::format("program and libraries                      {:>10.1f} MiB", mib(e.process)));
  print_line(fmt::format("peak                                       {:>10.1f} MiB", mib(e.peak())));
  print_line(
      fmt::format("and {:.1f} MiB more while a checkpoint of that size is written", mib(e.parameters)));
  print_line(
      fmt::format("and up to {:.0f} MiB of decoded images of each part of the data, kept between epochs",
                  mib(LoaderOptions{}.cache_limit)));
  if (gpu) print_line("\n" + estimate_text(least(), detail));
}

}  // namespace

void add_plan(CLI::App& app) {
  CLI::App& command =
      add_command(app, "plan", "how much memory a training takes and what computes it, before anything runs",
                  "xferrun plan --model inception_v3 --batch 16 --explain\n  xferrun plan --model resnet50 "
                  "--batch 256 --precision bf16 --estimate h100");
  const auto o = std::make_shared<PlanOptions>();
  command.add_option("--model", o->model, "the network, as in fine-tune")
      ->check(word_of(find_model))
      ->required();
  command.add_option("--batch", o->batch, "images per step")
      ->check(CLI::Range(2, 65536))
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
  add_estimate_option(command, o->gpu,
                      "the least time of a step on a GPU, by its data sheet (a roofline; nothing runs):");
  command.add_flag("--json", o->json, "one JSON document");
  add_device_options(command, o->device);
  add_config_option(command);
  command.callback([o] { run(*o); });
}

}  // namespace xf::tool
