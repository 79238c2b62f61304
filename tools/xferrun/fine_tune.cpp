#include "tools/xferrun/fine_tune.h"

#include <fmt/format.h>

#include <functional>
#include <memory>
#include <optional>

#include "engine/core/error.h"
#include "engine/core/log.h"
#include "engine/core/threads.h"
#include "engine/data/split.h"
#include "engine/data/split_file.h"
#include "engine/train/calibration.h"
#include "tools/xferrun/command.h"
#include "tools/xferrun/loaded_model.h"
#include "tools/xferrun/resume.h"
#include "tools/xferrun/version.h"

namespace fs = std::filesystem;

namespace xf::tool {

namespace {

std::vector<Part> choose_split(const FineTuneOptions& o, const Dataset& data) {
  std::vector<Part> parts;
  if (!o.split_file.empty()) {
    parts = read_split(o.split_file, data);
    check_split(data, parts, o.split_file);
    return parts;
  }
  if (!o.val_fraction && !o.test_fraction) parts = own_split(data);
  if (!parts.empty()) {
    log::info("{}: its own parts are kept", data.source.string());
    check_split(data, parts, data.source);
    return parts;
  }
  const SplitOptions usual;
  return make_split(data, {o.val_fraction.value_or(usual.val), o.test_fraction.value_or(usual.test), o.seed});
}

/// The weights' dialect, or the network's without weights, with what the options say of it; and which layers
/// the weights lack.
void settle_dialect(const FineTuneOptions& o, TrainingRequest& request) {
  std::optional<weights::FileInfo> found;
  if (!o.weights.empty()) found = weights::probe(o.weights);
  const weights::FileInfo* file = found ? &*found : nullptr;
  Dialect& d = request.dialect;
  d = found ? dialect_of(*found, o.model, o.dialect) : default_dialect(o.model, o.dialect);
  const Head stored = d.head;
  settle_head(d, o.model, o.head, file);
  if (found && stored == Head::pool && d.head == Head::fc) request.fresh = "classifier.*";
  settle_input_size(d, o.input_size);
  settle_preprocess(d, o.model, o.preprocess, file);
}

nlohmann::json config_of(const FineTuneOptions& o, const Session& session, const TrainingRequest& request,
                         const Dataset& data) {
  nlohmann::json config{
      {"program", "xferrun"}, {"version", version_number()}, {"built_with", version_text()}};
  config["options"] = to_json(o);
  config["network"] = full_name(request.model, request.dialect);
  config["precision"] = name(session.precision());
  config["threads"] = threads();
  config["dialect"] = nlohmann::json::parse(to_json(request.dialect));
  config["classes"] = data.classes;
  config["images"] = data.samples.size();
  config["view"] = name(data.view);
  return config;
}

/// Trains into a folder, or goes on there. The test part is measured with the temperature that the validation
/// part asks for. `prepare` is called once nothing can be wrong any more, before the folder is touched.
TrainingResult train_into(
    const fs::path& path, Replace replace, const FineTuneOptions& o, Session& session,
    const TrainingRequest& request, const Dataset& data, const std::vector<Part>& parts,
    const std::string& heading, const std::function<void()>& prepare = [] {}) {
  RunOptions options{heading, identity_of(o, session, request, data, parts), o.saving};
  const std::optional<weights::Checkpoint> from =
      o.saving.resume ? resumable(path, options.identity) : std::nullopt;
  require_alike(options.identity, from);
  TrainingRun training(session, request, data, parts);
  if (from) training.restore(*from);
  prepare();
  // Without a checkpoint there is nothing to go on from: what was begun is begun anew.
  const RunFolder folder(path, from ? Replace::resume : o.saving.resume ? Replace::yes : replace);
  if (from) folder.cut_metrics(metrics_bytes(*from));
  const nlohmann::json config = config_of(o, session, request, data);
  folder.write_config(config);
  folder.write_split(data, parts);
  TrainingResult result = training.run(folder, options);
  folder.write_calibration(result.val);
  result.evaluation = evaluate_whole(result.test, data.classes, fit_temperature(result.val));
  if (result.test.empty()) return result;
  nlohmann::json j = to_json(result.evaluation);
  j["best_epoch"] = result.best.epoch;
  folder.write_predictions(data, result.test);
  folder.write_evaluation(j);
  return result;
}

Replace replace_of(const FineTuneOptions& o) {
  return o.saving.resume ? Replace::resume : o.force ? Replace::yes : Replace::no;
}

void run_once(const FineTuneOptions& o, const TrainingRequest& request, const Dataset& data) {
  const TrainingResult result = fine_tune(o, request, data, "");
  const std::string best = (fs::path(o.out) / "best.h5").string();
  if (result.test.empty())
    print_line("no test part: the best weights are in " + best);
  else
    print_line(to_table(result.evaluation) + "\nthe best weights (epoch " +
               std::to_string(result.best.epoch) + ") are in " + best);
}

/// What as few images as these can show, in words.
std::string caution(const Evaluation& e, int folds) {
  int64_t fewest = e.images;
  for (const ClassMetrics& c : e.classes) fewest = std::min(fewest, c.support);
  return fmt::format(
      "each image was tested once, by one of {} networks that never saw its glitch; {} images in {} classes, "
      "{} in the\n"
      "smallest: the interval above is what they can show, and a class's own figures rest on its few images "
      "alone",
      folds, e.images, e.classes.size(), fewest);
}

void run_folds(const FineTuneOptions& o, const TrainingRequest& request, const Dataset& data) {
  const std::vector<int> folds = make_folds(data, o.folds, o.seed);
  std::optional<RunFolder> whole;
  TrainingResult pooled;
  for (int fold = 0; fold < o.folds; ++fold) {
    Session session(o.device);  // each network starts from the weights, not from the fold before
    const std::vector<Part> parts = fold_split(folds, fold);
    const auto make_whole = [&] {
      if (whole) return;
      whole.emplace(o.out, replace_of(o));
      whole->write_config(config_of(o, session, request, data));
    };
    const TrainingResult result =
        train_into(fs::path(o.out) / fmt::format("fold-{}", fold + 1), Replace::no, o, session, request, data,
                   parts, fmt::format("fold {}/{}: ", fold + 1, o.folds), make_whole);
    pooled.test.insert(pooled.test.end(), result.test.begin(), result.test.end());
    pooled.best.epoch = result.best.epoch;
  }
  const Evaluation e = evaluate_whole(pooled.test, data.classes, std::nullopt);
  nlohmann::json j = to_json(e);
  j["folds"] = o.folds;
  whole->write_predictions(data, pooled.test);
  whole->write_evaluation(j);
  print_line(to_table(e) + "\n" + caution(e, o.folds));
}

/// One training a seed, each in its folder, and their mean.
void run_seeds(const FineTuneOptions& o, const TrainingRequest& request, const Dataset& data) {
  const std::vector<SeedResult> results = train_seeds(o, request, data, "");
  print_line(to_table(results) + (results.front().evaluation.images == 0
                                      ? "no test part: there is nothing to compare\n"
                                      : fmt::format("\nthe runs are in {}", o.out)));
}

/// What --force is going to remove must not be what the training needs.
void check_kept(const char* option, const std::string& file, const FineTuneOptions& o) {
  if (!o.force || file.empty()) return;
  std::error_code none;
  const fs::path inside =
      fs::weakly_canonical(file, none).lexically_relative(fs::weakly_canonical(o.out, none));
  if (!inside.empty() && *inside.begin() != "..")
    throw UsageError(fmt::format("{} {}", option, file), "lies in --out, where --force would remove it",
                     "choose another --out, or copy the file elsewhere first");
}

void run(FineTuneOptions o) {
  check_fine_tune(o);
  const TrainingRequest request = fine_tune_request(o);
  const Dataset data = fine_tune_data(o, request);
  if (o.folds > 0) return run_folds(o, request, data);
  if (o.seeds > 0) return run_seeds(o, request, data);
  run_once(o, request, data);
}

}  // namespace

void check_fine_tune(const FineTuneOptions& o) {
  if (o.weights.empty() && !o.from_scratch)
    throw UsageError("--weights", "is needed", "give pretrained weights, or --from-scratch to start without");
  if ((o.folds > 0 || o.seeds > 0) && !o.device.profile.empty())
    throw UsageError("--profile", "cannot be given together with --leave-glitches-out or --seeds",
                     "profile one training");
  check_kept("--weights", o.weights, o);
  check_kept("--split-file", o.split_file, o);
  RunFolder::check(o.out, replace_of(o));
}

TrainingRequest fine_tune_request(FineTuneOptions& o) {
  TrainingRequest request = training_request(o);
  request.weights = o.weights;
  settle_dialect(o, request);
  settle_rates(o, request);
  return request;
}

Dataset fine_tune_data(const FineTuneOptions& o, const TrainingRequest& request) {
  Dataset data = open_images(o.data, parse_on_bad_image(o.on_bad_image), o.view);
  require_two_classes(data);
  check_view(data.view, request.dialect.channels);
  if (data.view.kind != View::Kind::plain) log::info("view: {}", name(data.view));
  return data;
}

TrainingResult fine_tune(const FineTuneOptions& o, const TrainingRequest& request, const Dataset& data,
                         const std::string& heading) {
  Session session(o.device);
  const std::vector<Part> parts = choose_split(o, data);
  TrainingResult result = train_into(o.out, replace_of(o), o, session, request, data, parts, heading);
  session.write_profile();
  return result;
}

std::vector<SeedResult> train_seeds(const FineTuneOptions& o, const TrainingRequest& request,
                                    const Dataset& data, const std::string& heading) {
  std::optional<RunFolder> whole;
  std::vector<SeedResult> results;
  for (int i = 0; i < o.seeds; ++i) {
    FineTuneOptions one = o;
    one.seed = o.seed + static_cast<uint64_t>(i);
    TrainingRequest with_seed = request;
    with_seed.train.seed = one.seed;
    Session session(o.device);  // each network starts from the weights, not from the seed before
    const std::vector<Part> parts = choose_split(one, data);
    const auto make_whole = [&] {
      if (whole) return;
      whole.emplace(o.out, replace_of(o));
      whole->write_config(config_of(o, session, request, data));
    };
    const TrainingResult result =
        train_into(fs::path(o.out) / fmt::format("seed-{}", one.seed), Replace::no, one, session, with_seed,
                   data, parts, fmt::format("{}seed {}: ", heading, one.seed), make_whole);
    results.push_back({one.seed, result.best.epoch, result.evaluation});
  }
  if (results.front().evaluation.images > 0) whole->write_evaluation(summary(results));
  return results;
}

void add_fine_tune(CLI::App& app) {
  CLI::App& command =
      add_command(app, "fine-tune", "replace a network's last layer and train all layers on your glitches",
                  "xferrun fine-tune --model inception_v3 --weights "
                  "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5 "
                  "--data glitches/ --out run/");
  const auto options = std::make_shared<FineTuneOptions>();
  add_options(command, *options);
  command.callback([options] { run(*options); });
}

}  // namespace xf::tool
