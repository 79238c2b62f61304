#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "tools/xferrun/command.h"
#include "tools/xferrun/command_line.h"
#include "tools/xferrun/loaded_model.h"
#include "tools/xferrun/training_run.h"

namespace xf::tool {

namespace {

struct PredictOptions {
  ReadingOptions reading;
  WeightFileOptions file;
  std::string model;
  std::vector<std::string> images;
  bool json = false;
};

std::string line(const std::string& path, const Prediction& p, const LoadedModel& model,
                 const std::optional<OutOfClass>& reference) {
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
  if (reference && !p.features.empty())
    j["out_of_class"] = reference->calibrated(reference->score(p.features, p.logits));
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

void run(const PredictOptions& o) {
  std::error_code none;
  const bool one_file = std::filesystem::is_regular_file(o.model, none);
  const std::optional<ExistingRun> folder = one_file ? std::nullopt : std::optional(open_run(o.model));
  if (folder) not_with_run(o.file);
  Dataset data = list_images(o.images);
  leave_out_bad(o, data);
  Session session(o.reading.device);
  const LoadedModel model = folder ? load_run(session, *folder) : load_classifier(session, o.model, o.file);
  const int64_t batch = std::min(o.reading.batch, static_cast<int64_t>(data.samples.size()));
  const std::optional<OutOfClass> reference = folder ? out_of_class(*folder, model) : std::nullopt;
  InferenceOptions options = inference_options(session, batch);
  if (reference) options.results = {"probabilities", "features", "logits"};
  Inference network = compile_network(session, model, options);
  Loader loader(data.samples, evaluation_loader(model.dialect, batch));
  for (const Prediction& p : predict(network, loader))
    print_line(line(data.samples[static_cast<size_t>(p.sample)].name, p, model, reference));
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
  command.add_option("images", o->images, "PNG, JPEG or BMP files")->required();
  command.add_flag("--json", o->json, "accepted for symmetry: the output always is JSON lines");
  add_reading_options(command, o->reading);
  command.callback([o] { run(*o); });
}

}  // namespace xf::tool
