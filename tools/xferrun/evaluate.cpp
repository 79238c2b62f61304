#include <memory>

#include "engine/core/error.h"
#include "engine/data/split_file.h"
#include "tools/xferrun/command.h"
#include "tools/xferrun/command_line.h"
#include "tools/xferrun/loaded_model.h"
#include "tools/xferrun/training_run.h"

namespace xf::tool {

namespace {

struct EvaluateOptions {
  DeviceOptions device;
  std::string run, data, split = "test", on_bad_image = "fail";
  int64_t batch = 16;
  bool json = false;
};

std::vector<Part> parts_of(const EvaluateOptions& o, const ExistingRun& run, const Dataset& data) {
  if (o.split == "all") return std::vector<Part>(data.samples.size(), Part::test);
  return read_split(run.split(), data);
}

void run(const EvaluateOptions& o) {
  const ExistingRun folder = open_run(o.run);
  Dataset data = open_images(o.data, parse_on_bad_image(o.on_bad_image));
  Session session(o.device);
  const LoadedModel model = load_run(session, folder);
  use_classes(data, model.classes);
  const Part part = o.split == "all" ? Part::test : *parse_part(o.split);
  const PartSamples chosen = samples_of(data, parts_of(o, folder, data), part);
  if (chosen.samples.empty())
    throw DataError(o.data, "has no images of the part " + o.split, "choose another --split, or all");
  InferenceOptions inference;
  inference.batch = std::min<int64_t>(o.batch, static_cast<int64_t>(chosen.samples.size()));
  inference.precision = session.precision();
  inference.allow_reference = session.allow_reference();
  Inference network(model.spec, inference, session.backend(), session.store(), session.memory());
  network.refresh();
  network.observe(session.observer());
  Loader loader(chosen.samples, evaluation_loader(model.dialect, inference.batch));
  const Evaluation e = evaluate(predict(network, loader), model.classes);
  session.write_profile();
  print_line(o.json ? json_text(to_json(e)) : to_table(e));
}

}  // namespace

void add_evaluate(CLI::App& app) {
  CLI::App& command = add_command(app, "evaluate", "measure a trained network on one part of its data",
                                  "xferrun evaluate run/ --data glitches/ --split test");
  const auto o = std::make_shared<EvaluateOptions>();
  command.add_option("run", o->run, "a RUN folder of fine-tune")->required();
  command.add_option("--data", o->data, "the images: a folder of class folders, or a CSV manifest")
      ->required();
  command.add_option("--split", o->split, "train, val, test (as the run split them) or all")
      ->check(CLI::IsMember({"train", "val", "test", "all"}))
      ->capture_default_str();
  command.add_option("--batch", o->batch, "images at a time")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_option("--on-bad-image", o->on_bad_image, "fail or skip")
      ->check(word_of(parse_on_bad_image))
      ->capture_default_str();
  command.add_flag("--json", o->json, "one JSON document instead of a table");
  add_device_options(command, o->device);
  add_config_option(command);
  command.callback([o] { run(*o); });
}

}  // namespace xf::tool
