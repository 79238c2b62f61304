#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "engine/train/glitch_mean.h"
#include "tools/xferrun/command.h"
#include "tools/xferrun/command_line.h"
#include "tools/xferrun/loaded_model.h"
#include "tools/xferrun/training_run.h"

namespace xf::tool {

namespace {

struct PredictOptions {
  ReadingOptions reading;
  WeightFileOptions file;
  std::string model, view;
  std::vector<std::string> images;
  bool json = false;
};

std::string line(const std::string& path, const Prediction& p, const LoadedModel& model) {
  constexpr size_t kTop = 5;
  const std::vector<int32_t> order = ranking(p.probabilities);
  nlohmann::ordered_json j;
  const auto probability = [&](int32_t c) { return p.probabilities[static_cast<size_t>(c)]; };
  const auto label = [&](int32_t c) { return model.classes[static_cast<size_t>(c)]; };
  j["path"] = path;
  j["label"] = label(order[0]);
  j["probability"] = probability(order[0]);
  j["top"] = nlohmann::ordered_json::array();
  for (size_t k = 0; k < std::min(kTop, order.size()); ++k)
    j["top"].push_back({{"label", label(order[k])}, {"probability", probability(order[k])}});
  j["model"] = model.id;
  return json_text(j);
}

void leave_out_bad(const PredictOptions& o, Dataset& data) {
  const Scan found = scan(data);
  if (found.bad.size() == data.samples.size()) {
    std::string all;
    for (const BadImage& bad : found.bad) all += (all.empty() ? "" : "; ") + bad.reason;
    throw DataError("images", "none can be used: " + all, "name others");
  }
  settle_bad_images(parse_on_bad_image(o.reading.on_bad_image), found, data);
}

/// What stands for a sample in the output: its file, or the common part of the names of its durations.
std::string shown_name(const Sample& sample, const View& view) {
  if (view.kind == View::Kind::all) return sample.glitch;
  return sample.name;
}

void run(const PredictOptions& o) {
  std::error_code none;
  const bool one_file = std::filesystem::is_regular_file(o.model, none);
  const std::optional<ExistingRun> folder = one_file ? std::nullopt : std::optional(open_run(o.model));
  if (folder) not_with_run(o.file);
  const View view = parse_view(folder ? view_of_run(*folder, o.view) : o.view);
  Dataset data = list_images(o.images, view, parse_on_bad_image(o.reading.on_bad_image));
  leave_out_bad(o, data);
  Session session(o.reading.device);
  const LoadedModel model = folder ? load_run(session, *folder) : load_classifier(session, o.model, o.file);
  check_view(view, model.dialect.channels);
  const int64_t batch = std::min(o.reading.batch, static_cast<int64_t>(data.samples.size()));
  Inference network = compile_network(session, model, inference_options(session, batch));
  Loader loader(data.samples, evaluation_loader(model.dialect, batch));
  std::vector<Prediction> predictions = predict(network, loader);
  if (view.kind == View::Kind::all) predictions = mean_by_glitch(predictions, data.samples);
  for (const Prediction& p : predictions)
    print_line(line(shown_name(data.samples[static_cast<size_t>(p.sample)], view), p, model));
  session.write_profile();
}

}  // namespace

void add_predict(CLI::App& app) {
  CLI::App& command =
      add_command(app, "predict", "classify images: one JSON line an image, in the order given",
                  "xferrun predict run/ L1_1262400180.png L1_1260279044.png");
  const auto o = std::make_shared<PredictOptions>();
  command.add_option("model", o->model, "a RUN folder of fine-tune, or a weight file with its classifier")
      ->required();
  add_weight_file_options(command, o->file);
  command
      .add_option(
          "images", o->images,
          "PNG, JPEG or BMP files; for a view of several durations all files of a glitch, and a line a\n"
          "glitch is printed")
      ->required();
  add_view_option(command, o->view);
  command.add_flag("--json", o->json, "accepted for symmetry: the output always is JSON lines");
  add_reading_options(command, o->reading);
  command.callback([o] { run(*o); });
}

}  // namespace xf::tool
