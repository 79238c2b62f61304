#include "tools/xferrun/run_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "engine/core/error.h"
#include "engine/core/log.h"
#include "engine/data/split_file.h"
#include "tools/report/page.h"
#include "tools/report/thumbnails.h"
#include "tools/xferrun/device.h"
#include "tools/xferrun/embedding.h"
#include "tools/xferrun/grad_cam_pictures.h"
#include "tools/xferrun/progress.h"
#include "tools/xferrun/report_points.h"
#include "tools/xferrun/training_run.h"
#include "tools/xferrun/version.h"

namespace fs = std::filesystem;

namespace xf::tool {

namespace {

/// RUN/evaluation.json; null for a run that had no test part.
nlohmann::json read_evaluation(const fs::path& run) {
  const fs::path file = run / "evaluation.json";
  std::ifstream in(file);
  if (!in) return nullptr;
  nlohmann::json e = nlohmann::json::parse(in, nullptr, false);
  if (!e.is_object() || !e.contains("confusion") || !e.contains("reliability"))
    throw DataError(file.string(), "is no evaluation of this version", "train again");
  return e;
}

nlohmann::json read_epochs(const fs::path& run) {
  nlohmann::json epochs = nlohmann::json::array();
  std::ifstream in(run / "metrics.jsonl");
  for (std::string line; std::getline(in, line);) {
    nlohmann::json epoch = nlohmann::json::parse(line, nullptr, false);
    if (epoch.is_object()) epochs.push_back(std::move(epoch));
  }
  return epochs;
}

/// What the network makes of every image.
FeaturesFile features_of(Session& session, const LoadedModel& model, const Dataset& data,
                         const std::vector<Part>& parts, int64_t batch) {
  InferenceOptions options =
      inference_options(session, std::min(batch, static_cast<int64_t>(data.samples.size())));
  options.results = {"features", "logits"};
  Inference network = compile_network(session, model, options);
  Loader loader(data.samples, evaluation_loader(model.dialect, options.batch));
  Embedding embedding = embed_images(network, loader);
  FeaturesFile f = features_file(data, std::move(embedding.features));
  f.logits = std::move(embedding.logits);
  f.classes = model.classes;
  for (const Part part : parts) f.splits.emplace_back(name(part));
  return f;
}

/// Throws DataError unless the features are this network's, of these images.
void check_features(const FeaturesFile& f, const LoadedModel& model, const Dataset& data) {
  const auto refuse = [&](const std::string& why) {
    throw DataError(f.path.string(), why, "make it with `xferrun features RUN --data D`, or leave it out");
  };
  if (f.weights != model.id) refuse("was made by other weights than the run's");
  if (f.layer != "features") refuse("holds the layer " + f.layer + ", not features");
  if (f.logits.dims != static_cast<int64_t>(model.classes.size())) refuse("has no /logits of the run");
  const bool same = std::equal(f.paths.begin(), f.paths.end(), data.samples.begin(), data.samples.end(),
                               [](const std::string& path, const Sample& s) { return path == s.name; });
  if (!same) refuse("is of other images than the run's");
}

nlohmann::json thumbnails_of(const Dataset& data) {
  LoaderOptions options;
  options.batch = 64;
  options.height = options.width = report::kThumbnail;
  options.order = Order::sequential;
  options.last = LastBatch::pad;
  options.threads = 2;
  options.cache_limit = 0;
  Loader loader(data.samples, options);
  loader.start_epoch(0);
  report::Thumbnails thumbnails;
  Progress progress("pictures", "images");
  int64_t done = 0;
  constexpr size_t kBytes = size_t{report::kThumbnail} * report::kThumbnail * 3;
  for (ImageBatch b; loader.next(b);) {
    for (size_t i = 0; i < b.samples.size() && b.samples[i] >= 0; ++i, ++done)
      thumbnails.add(b.images.as<uint8_t>().subspan(i * kBytes, kBytes));
    progress.update(done, static_cast<int64_t>(data.samples.size()), "");
  }
  return thumbnails.take();
}

std::optional<TsneMap> map_of(const Points& features, const std::string& device) {
  if (features.count < kTsneFewestPoints) return std::nullopt;
  TsneOptions options;
  options.perplexity = std::min(options.perplexity, tsne_most_perplexity(features.count));
  Progress progress("t-SNE", "iterations");
  options.progress = [&](int64_t done, int64_t total) {
    progress.update(done, total, "");
    return true;
  };
  return tsne(features, options, *open_tsne_device(device));
}

std::optional<ClusterAnalysis> groups_of(const FeaturesFile& f) {
  const ClusterOptions options;
  if (f.features.count < options.hdbscan.min_cluster_size) return std::nullopt;
  return analyse_clusters(f, options);
}

/// Grad-CAM of one test image of each class, of a wrongly classified one where there is one.
nlohmann::json grad_cam_of(Session& session, const LoadedModel& model, const Dataset& data,
                           const FeaturesFile& f, const std::vector<Part>& parts) {
  const std::vector<Likeliest> predicted = likeliest(f);
  std::map<int32_t, size_t> chosen;
  const auto wrong = [&](size_t i) { return predicted[i].label != data.samples[i].label; };
  for (size_t i = 0; i < predicted.size(); ++i) {
    if (parts[i] != Part::test) continue;
    const auto [it, first] = chosen.emplace(data.samples[i].label, i);
    if (!first && wrong(i) && !wrong(it->second)) it->second = i;
  }
  std::vector<Sample> samples;
  std::vector<int32_t> classes;
  for (const auto& [label, i] : chosen) {
    samples.push_back(data.samples[i]);
    classes.push_back(predicted[i].label);
  }
  nlohmann::json all = nlohmann::json::array();
  draw_grad_cam(session, model, samples, classes, [&](size_t i, const io::Image& picture) {
    all.push_back({{"id", samples[i].name},
                   {"label", samples[i].label},
                   {"predicted", classes[i]},
                   {"picture", report::data_url(picture)}});
  });
  return all;
}

nlohmann::json made_by(const ReportRequest& r, const LoadedModel& model, const ReportPoints& points) {
  nlohmann::json j{{"training", r.run.config},
                   {"weights", model.id},
                   {"data", r.data.source.string()},
                   {"report", {{"version", version_text()}}}};
  if (const auto t = temperature_of(r.run.path)) j["temperature"] = *t;
  if (points.map)
    j["report"]["t-SNE"] = {{"KL divergence", points.map->kl_divergence},
                            {"perplexity", std::min(TsneOptions{}.perplexity,
                                                    tsne_most_perplexity(points.features.features.count))},
                            {"iterations", TsneOptions{}.iterations},
                            {"seed", TsneOptions{}.seed}};
  if (points.groups)
    j["report"]["HDBSCAN"] = {{"min_cluster_size", ClusterOptions{}.hdbscan.min_cluster_size},
                              {"min_samples", ClusterOptions{}.hdbscan.min_samples},
                              {"principal axes", ClusterOptions{}.axes}};
  return j;
}

}  // namespace

std::string run_report(Session& session, ReportRequest r) {
  nlohmann::json j{{"evaluation", read_evaluation(r.run.path)}, {"epochs", read_epochs(r.run.path)}};
  const LoadedModel model = load_run(session, r.run);
  check_view(r.data.view, model.dialect.channels);
  const ClassDifference difference = use_classes(r.data, model.classes);
  if (difference.unknown_images > 0)
    log::warning("{} images of classes that the network does not know are left out",
                 difference.unknown_images);
  const std::vector<Part> parts = read_split(r.run.split(), r.data);
  if (r.features) check_features(*r.features, model, r.data);
  ReportPoints points;
  points.features = r.features ? std::move(*r.features) : features_of(session, model, r.data, parts, r.batch);
  j["grad_cam"] = grad_cam_of(session, model, r.data, points.features, parts);
  j["thumbnails"] = thumbnails_of(r.data);
  points.map = map_of(points.features.features, r.device);
  points.groups = groups_of(points.features);
  j.update(to_json(points));
  j["classes"] = model.classes;
  j["network"] = full_name(model.model, model.dialect);
  j["made"] = made_by(r, model, points);
  return report::page(fmt::format("{} on {}", full_name(model.model, model.dialect),
                                  fs::path(r.data.source).lexically_normal().filename().string()),
                      j);
}

}  // namespace xf::tool
