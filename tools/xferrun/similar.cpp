#include <fmt/format.h>

#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "engine/analyze/features_file.h"
#include "engine/analyze/similar.h"
#include "engine/core/error.h"
#include "tools/xferrun/command.h"
#include "tools/xferrun/command_line.h"
#include "tools/xferrun/embedding.h"
#include "tools/xferrun/loaded_model.h"
#include "tools/xferrun/training_run.h"

namespace xf::tool {

namespace {

struct SimilarOptions {
  ReadingOptions reading;
  WeightFileOptions file;
  std::string features, run, weights;
  std::vector<std::string> images;
  int64_t count = 10;
  bool json = false;
};

/// The network that made the features. Throws DataError where it is another.
LoadedModel load(Session& session, const SimilarOptions& o, const FeaturesFile& known) {
  if (known.network.empty() || known.weights.empty() || known.layer.empty())
    throw DataError(o.features, "does not say which network made it", "make the features again");
  const weights::Top top = known.layer == "logits" ? weights::Top::loaded : weights::Top::replaced;
  LoadedModel model =
      o.run.empty() ? load_weight_file(session, known.network, o.weights, o.file, InputKind::images, top)
                    : load_run(session, open_run(o.run));
  if (model.id != known.weights)
    throw DataError(o.features, fmt::format("is of the weights {}, not of {}", known.weights, model.id),
                    "name the RUN or the weights that made the features, or make them again");
  return model;
}

std::string line(const FeaturesFile& known, const std::string& path, const std::vector<Similar>& nearest,
                 const std::string& model) {
  nlohmann::ordered_json j;
  j["path"] = path;
  j["nearest"] = nlohmann::ordered_json::array();
  for (const Similar& s : nearest) {
    const auto row = static_cast<size_t>(s.row);
    nlohmann::ordered_json one{{"row", s.row}, {"similarity", s.similarity}};
    if (!known.paths.empty()) one["path"] = known.paths[row];
    if (!known.ids.empty()) one["id"] = known.ids[row];
    if (!known.labels.empty()) one["label"] = known.labels[row];
    if (!known.gps.empty() && !std::isnan(known.gps[row])) one["gps"] = known.gps[row];
    j["nearest"].push_back(std::move(one));
  }
  j["model"] = model;
  return json_text(j);
}

void run(const SimilarOptions& o) {
  if (o.run.empty() == o.weights.empty())
    throw UsageError("similar", "needs the network that made the features", "give either --run or --weights");
  if (!o.run.empty()) not_with_run(o.file);
  const FeaturesFile known = read_features_file(o.features);
  const OnBadImage on_bad_image = parse_on_bad_image(o.reading.on_bad_image);
  Dataset data = list_images(o.images, parse_view(known.view), on_bad_image);
  settle_bad_images(on_bad_image, scan(data), data);
  if (data.samples.empty()) throw DataError("images", "none can be used", "name others");
  Session session(o.reading.device);
  const LoadedModel model = load(session, o, known);
  const int64_t batch = std::min(o.reading.batch, static_cast<int64_t>(data.samples.size()));
  InferenceOptions options = inference_options(session, batch);
  options.results = {known.layer};
  Inference network = compile_network(session, model, options);
  Loader loader(data.samples, evaluation_loader(model.dialect, batch));
  const Embedding seen = embed_images(network, loader);
  if (seen.features.dims != known.features.dims)
    throw DataError(o.features,
                    fmt::format("holds {} numbers an image, where the network gives {}", known.features.dims,
                                seen.features.dims),
                    "make the features again");
  const auto nearest = most_similar(seen.features, known.features, o.count);
  for (size_t i = 0; i < nearest.size(); ++i)
    print_line(line(known, data.samples[i].name, nearest[i], model.id));
  session.write_profile();
}

}  // namespace

void add_similar(CLI::App& app) {
  CLI::App& command = add_command(
      app, "similar",
      "find the known glitches that look most like an image: one JSON line an image, the nearest by\n"
      "the cosine between features first",
      "xferrun similar features.h5 --run run/ new-glitch.png");
  const auto o = std::make_shared<SimilarOptions>();
  command.add_option("features", o->features, "what features wrote of the known glitches")->required();
  command
      .add_option("images", o->images,
                  "PNG, JPEG or BMP files: for a view of several durations, all files of a glitch")
      ->required();
  command.add_option("--run", o->run, "the RUN folder that the features were made with");
  command.add_option("--weights", o->weights, "the weight file that they were made with, instead of a RUN");
  command.add_option("--count", o->count, "known glitches an image")
      ->check(CLI::Range(1, 1 << 30))
      ->capture_default_str();
  command.add_flag("--json", o->json, "accepted for symmetry: the output always is JSON lines");
  add_weight_file_options(command, o->file);
  add_reading_options(command, o->reading);
  command.callback([o] { run(*o); });
}

}  // namespace xf::tool
