#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>

#include "engine/core/error.h"
#include "engine/core/log.h"
#include "engine/data/class_lists.h"
#include "engine/data/split_file.h"
#include "engine/train/glitch_mean.h"
#include "engine/train/predict.h"
#include "tools/xferrun/command.h"
#include "tools/xferrun/command_line.h"
#include "tools/xferrun/loaded_model.h"
#include "tools/xferrun/training_run.h"
#include "tools/xferrun/world.h"

namespace xf::tool {

namespace {

struct EvaluateOptions {
  ReadingOptions reading;
  ViewOptions view;
  std::string run, data, split = "test";
  bool json = false;
};

std::vector<Part> parts_of(const EvaluateOptions& o, const ExistingRun& run, const Dataset& data) {
  if (o.split == "all") return std::vector<Part>(data.samples.size(), Part::test);
  return read_split(run.split(), data);
}

/// What the data and the network do not share, in words; empty where they share all.
std::string text(const ClassDifference& d) {
  std::string lines;
  if (d.unknown_images > 0)
    lines +=
        fmt::format("\n\nleft out of all figures: {} images of classes that the network does not know ({})",
                    d.unknown_images, fmt::join(d.unknown, ", "));
  if (!d.absent.empty())
    lines += fmt::format("\n\nthe data has no images of {} of the network's classes: {}", d.absent.size(),
                         fmt::join(d.absent, ", "));
  return lines;
}

void log_class_lists(const std::vector<std::string>& data, const std::vector<std::string>& network) {
  const std::string its = describe_classes(data), known = describe_classes(network);
  if (its != known && !its.empty() && !known.empty())
    log::info("classes of the data: {}; of the network: {}", its, known);
}

void run(const EvaluateOptions& o) {
  const ExistingRun folder = open_run(o.run);
  const ViewOptions view{view_of_run(folder, o.view.view), o.view.metadata};
  Dataset data = open_images(o.data, parse_on_bad_image(o.reading.on_bad_image), view);
  Session session(o.reading.device);
  const LoadedModel model = load_run(session, folder);
  check_view(data.view, model.dialect.channels);
  log_class_lists(data.classes, model.classes);
  const ClassDifference difference = use_classes(data, model.classes);
  const Part part = o.split == "all" ? Part::test : *parse_part(o.split);
  const PartSamples chosen = samples_of(data, parts_of(o, folder, data), part);
  if (chosen.samples.empty())
    throw DataError(o.data, "has no images of the part " + o.split, "choose another --split, or all");
  const int64_t batch = batch_of_rank(o.reading, static_cast<int64_t>(chosen.samples.size()));
  Inference network = compile_network(session, model, inference_options(session, batch));
  Loader loader(chosen.samples, evaluation_loader(model.dialect, batch));
  std::vector<Prediction> predictions = predict(network, loader, world());
  if (data.view.kind == View::Kind::all) predictions = mean_by_glitch(predictions, chosen.samples);
  const Evaluation e = evaluate_whole(predictions, model.classes, temperature_of(folder.path));
  session.write_profile();
  if (!o.json) {
    print_line(to_table(e) + text(difference));
    return;
  }
  nlohmann::json j = to_json(e);
  j["unknown_images"] = difference.unknown_images;
  j["unknown_classes"] = difference.unknown;
  j["absent_classes"] = difference.absent;
  print_line(json_text(j));
}

}  // namespace

void add_evaluate(CLI::App& app) {
  CLI::App& command = add_command(app, "evaluate", "measure a trained network on one part of its data",
                                  "xferrun evaluate run/ --data glitches/ --split test");
  const auto o = std::make_shared<EvaluateOptions>();
  command.add_option("run", o->run, "a RUN folder of fine-tune")->required();
  command.add_option("--data", o->data, kDataHelp)->required();
  command.add_option("--split", o->split, "train, val, test (as the run split them) or all")
      ->check(CLI::IsMember({"train", "val", "test", "all"}))
      ->capture_default_str();
  command.add_flag("--json", o->json, "one JSON document instead of a table");
  add_view_options(command, o->view);
  add_reading_options(command, o->reading);
  command.callback([o] { run(*o); });
}

}  // namespace xf::tool
