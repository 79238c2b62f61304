#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>

#include "engine/analyze/separation.h"
#include "engine/core/error.h"
#include "engine/data/split_file.h"
#include "engine/io/atomic_file.h"
#include "engine/train/glitch_mean.h"
#include "engine/train/predict.h"
#include "engine/train/trainer.h"
#include "tools/xferrun/classifier.h"
#include "tools/xferrun/cluster_analysis.h"
#include "tools/xferrun/command.h"
#include "tools/xferrun/embedding.h"
#include "tools/xferrun/fine_tune.h"
#include "tools/xferrun/loaded_model.h"

namespace xf::tool {

namespace {

struct DiscoverOptions {
  FineTuneOptions training;
  ClusterOptions cluster;
  std::string hold_out;
  bool json = false;
};

/// Whether the class is found by a network that never saw it.
struct Discovery {
  std::string held_out;
  int64_t images = 0, all_images = 0, clusters = 0;
  ClassCluster cluster;         ///< that holds most of it
  double neighbour_purity = 0;  ///< of all classes: 15 nearest
  double auroc = 0;             ///< out-of-class score, against test images of known classes; NaN: not known
  double flagged = 0;  ///< which share of it (of its glitches with View::Kind::all) lies farther out than 95
                       ///< % of held-out known images
};

constexpr int64_t kNearest = 15;

int32_t class_index(const DiscoverOptions& o, const Dataset& data) {
  const auto it = std::find(data.classes.begin(), data.classes.end(), o.hold_out);
  if (it == data.classes.end())
    throw DataError(o.training.data, fmt::format("has no class {}", o.hold_out),
                    fmt::format("hold out one of: {}", fmt::join(data.classes, ", ")));
  return static_cast<int32_t>(it - data.classes.begin());
}

/// The data as the network is to know it.
Dataset without(const Dataset& data, int32_t label) {
  Dataset known = data;
  known.classes.erase(known.classes.begin() + label);
  std::erase_if(known.samples, [&](const Sample& s) { return s.label == label; });
  for (Sample& s : known.samples)
    if (s.label > label) --s.label;
  return known;
}

/// By sample of the data, whether it is of a known class and was kept for the test.
std::vector<uint8_t> known_test_images(const Dataset& data, const Dataset& known, int32_t held_out,
                                       const ExistingRun& run) {
  const std::vector<Part> parts = read_split(run.split(), known);
  std::vector<uint8_t> test;
  size_t next = 0;
  for (const Sample& s : data.samples)
    test.push_back(s.label != held_out && parts[next++] == Part::test ? 1 : 0);
  return test;
}

/// Scores predictions, of what the run's reference is of, against that; fills in what it tells.
void judge(const std::vector<Prediction>& predictions, int32_t held_out,
           const std::vector<uint8_t>& known_test, const std::optional<OutOfClass>& reference, Discovery& d) {
  d.auroc = std::numeric_limits<double>::quiet_NaN();
  if (!reference) return;
  constexpr double kFar = 0.95;
  std::vector<double> inside, outside;
  int64_t far = 0;
  for (const Prediction& p : predictions) {
    const bool strange = p.label == held_out;
    if (!strange && known_test[static_cast<size_t>(p.sample)] == 0) continue;
    const double score = reference->score(p.features, p.logits);
    (strange ? outside : inside).push_back(score);
    far += strange && reference->calibrated(score) > kFar ? 1 : 0;
  }
  d.flagged = static_cast<double>(far) / static_cast<double>(outside.size());
  d.auroc = auroc(inside, outside);
}

Discovery measure(const DiscoverOptions& o, Session& session, const Dataset& data, const Dataset& known,
                  int32_t held_out) {
  const ExistingRun run = open_run(o.training.out);
  const LoadedModel model = load_run(session, run);
  Inference network = compile_network(session, model, prediction_options(session, o.training.batch));
  Loader loader(data.samples, evaluation_loader(model.dialect, o.training.batch));
  const std::vector<Prediction> images = predict(network, loader);
  const Points features = features_of(images);
  std::vector<int32_t> labels;
  for (const Sample& s : data.samples) labels.push_back(s.label);
  Discovery d;
  d.held_out = o.hold_out;
  d.all_images = features.count;
  d.images = std::count(labels.begin(), labels.end(), held_out);
  const ClusterAnalysis found = analyse_clusters(features_file(data, features), o.cluster);
  d.clusters = found.found.clusters;
  d.cluster = cluster_of_class(found.found.cluster, labels, held_out);
  d.neighbour_purity = neighbour_purity(features, labels, std::min(kNearest, d.all_images - 1));
  judge(data.view.kind == View::Kind::all ? mean_by_glitch(images, data.samples) : images, held_out,
        known_test_images(data, known, held_out, run), out_of_class(run, model), d);
  return d;
}

nlohmann::ordered_json to_json(const Discovery& d) {
  nlohmann::ordered_json j;
  j["held_out"] = d.held_out;
  j["images"] = d.images;
  j["all_images"] = d.all_images;
  j["clusters"] = d.clusters;
  j["cluster"] =
      d.cluster.cluster < 0 ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(d.cluster.cluster);
  j["purity"] = d.cluster.purity;
  j["completeness"] = d.cluster.completeness;
  j["neighbour_purity"] = d.neighbour_purity;
  const bool scored = !std::isnan(d.auroc);
  j["auroc"] = scored ? nlohmann::ordered_json(d.auroc) : nlohmann::ordered_json(nullptr);
  j["flagged"] = scored ? nlohmann::ordered_json(d.flagged) : nlohmann::ordered_json(nullptr);
  return j;
}

std::string to_table(const Discovery& d) {
  std::string text = fmt::format("{}, which the network never saw: {} of {} images, in {} clusters of all\n",
                                 d.held_out, d.images, d.all_images, d.clusters);
  text += d.cluster.cluster < 0
              ? "no cluster holds any of it\n"
              : fmt::format(
                    "completeness {:.3f}: the share of it that is in one cluster\npurity       {:.3f}: its "
                    "share of that cluster\n",
                    d.cluster.completeness, d.cluster.purity);
  text += fmt::format("neighbours   {:.3f}: of the {} nearest of each image, those of its own class\n",
                      d.neighbour_purity, kNearest);
  if (std::isnan(d.auroc)) return text + "AUROC unknown: there are too few images that did not train";
  return text + fmt::format(
                    "AUROC        {:.3f}: an image of it lies farther out than a test image of a known "
                    "class\nflagged      {:.3f}: the share of it beyond 95 % of known images",
                    d.auroc, d.flagged);
}

void run(DiscoverOptions o) {
  if (o.training.folds > 0 || o.training.seeds > 0)
    throw UsageError(o.training.folds > 0 ? "--leave-glitches-out" : "--seeds", "is not for discover",
                     "leave it out: one network is trained");
  check_fine_tune(o.training);
  const TrainingRequest request = fine_tune_request(o.training);
  const Dataset data =
      open_images(o.training.data, parse_on_bad_image(o.training.on_bad_image), o.training.view);
  const int32_t held_out = class_index(o, data);
  const Dataset known = without(data, held_out);
  require_two_classes(known);
  check_view(data.view, request.dialect.channels);
  fine_tune(o.training, request, known, "");
  Session session(o.training.device);
  const Discovery found = measure(o, session, data, known, held_out);
  io::write_file(std::filesystem::path(o.training.out) / "discovery.json",
                 json_text(to_json(found), 2) + "\n");
  print_line(o.json ? json_text(to_json(found)) : to_table(found));
}

}  // namespace

void add_discover(CLI::App& app) {
  CLI::App& command = add_command(
      app, "discover",
      "hold a class out of training and measure whether it is found: whether the features of its images\n"
      "fall into one cluster of their own, and far from the known classes. --out is a RUN folder with\n"
      "discovery.json; the options are those of fine-tune",
      "xferrun discover --hold-out Chirp --model inception_v3 --weights inception_v3_notop.h5 \\\n"
      "    --data glitches/ --out discovered/");
  const auto o = std::make_shared<DiscoverOptions>();
  command.add_option("--hold-out", o->hold_out, "the class that the network does not get to see")->required();
  command.add_flag("--json", o->json, "one JSON document instead of text");
  add_options(command, o->training);
  command.callback([o] { run(*o); });
}

}  // namespace xf::tool
