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
  ReadingOptions reading;
  std::string run, data, split = "test";
  bool json = false;
};

std::vector<Part> parts_of(const EvaluateOptions& o, const ExistingRun& run, const Dataset& data) {
  if (o.split == "all") return std::vector<Part>(data.samples.size(), Part::test);
  return read_split(run.split(), data);
}

void run(const EvaluateOptions& o) {
  const ExistingRun folder = open_run(o.run);
  Dataset data = open_images(o.data, parse_on_bad_image(o.reading.on_bad_image));
  Session session(o.reading.device);
  const LoadedModel model = load_run(session, folder);
  use_classes(data, model.classes);
  const Part part = o.split == "all" ? Part::test : *parse_part(o.split);
  const PartSamples chosen = samples_of(data, parts_of(o, folder, data), part);
  if (chosen.samples.empty())
    throw DataError(o.data, "has no images of the part " + o.split, "choose another --split, or all");
  const int64_t batch = std::min(o.reading.batch, static_cast<int64_t>(chosen.samples.size()));
  Inference network = compile_network(session, model, inference_options(session, batch));
  Loader loader(chosen.samples, evaluation_loader(model.dialect, batch));
  const Evaluation e = evaluate_whole(predict(network, loader), model.classes, temperature_of(folder.path));
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
  command.add_flag("--json", o->json, "one JSON document instead of a table");
  add_reading_options(command, o->reading);
  command.callback([o] { run(*o); });
}

}  // namespace xf::tool
