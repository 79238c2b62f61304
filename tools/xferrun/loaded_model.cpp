#include "tools/xferrun/loaded_model.h"

#include <fmt/format.h>

#include "engine/core/error.h"
#include "engine/core/log.h"
#include "tools/xferrun/command.h"
#include "tools/xferrun/command_line.h"
#include "tools/xferrun/world.h"
#include "weights/bundled/bundled.h"
#include "weights/md5.h"
#include "weights/run_info.h"

namespace xf::tool {

void add_reading_options(CLI::App& command, ReadingOptions& o) {
  command.add_option("--batch", o.batch, "images at a time")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_option("--on-bad-image", o.on_bad_image, "fail or skip")
      ->check(word_of(parse_on_bad_image))
      ->capture_default_str();
  add_device_options(command, o.device);
  add_config_option(command);
}

int64_t batch_of_rank(const ReadingOptions& o, int64_t images) {
  const int64_t ranks = world().size();
  return (std::min(o.batch, images) + ranks - 1) / ranks;
}

void add_weight_file_options(CLI::App& command, WeightFileOptions& o) {
  command
      .add_option("--dialect", o.dialect,
                  "keras, torchvision or caffe, where the weight file does not say whose network it holds")
      ->check(word_of(parse_family));
  command
      .add_option("--preprocess", o.preprocess,
                  "tf, caffe, torch, unit or bn_inception, where the weight file does not say")
      ->check(word_of(parse_preprocess));
}

void not_with_run(const std::string& option, const std::string& value) {
  if (!value.empty())
    throw UsageError(option, "cannot be given together with a RUN folder",
                     "leave it out: the folder says it");
}

void not_with_run(const WeightFileOptions& o) {
  not_with_run("--dialect", o.dialect);
  not_with_run("--preprocess", o.preprocess);
}

LoadedModel load_run(Session& session, const ExistingRun& run) {
  const weights::RunInfo info = weights::read_run_info(run.best());
  LoadedModel m{info.network, info.dialect, info.classes, info.model_id, {}};
  const weights::FileInfo file = weights::probe(run.best());
  settle_preprocess(m.dialect, m.model, "", &file);
  m.spec = make_network(m.model, m.dialect, static_cast<int>(m.classes.size()));
  load_weights(session, m.spec, run.best(), m.model, weights::Top::loaded);
  return m;
}

std::optional<OutOfClass> out_of_class(const ExistingRun& run, const LoadedModel& model) {
  std::error_code none;
  if (!std::filesystem::exists(run.out_of_class(), none)) return std::nullopt;
  return OutOfClass::read(run.out_of_class(), model.id);
}

namespace {

std::string id_of(const weights::FileInfo& file) {
  return file.run ? file.run->model_id : weights::md5_of_file(file.path);
}

}  // namespace

LoadedModel load_weight_file(Session& session, const std::string& model, const std::filesystem::path& weights,
                             const WeightFileOptions& options, InputKind input, weights::Top top) {
  const weights::FileInfo file = weights::probe(weights);
  LoadedModel m{model, dialect_of(file, model, options.dialect), {}, id_of(file), {}};
  if (input == InputKind::images || !options.preprocess.empty())
    settle_preprocess(m.dialect, model, options.preprocess, &file);
  const int64_t classes = top == weights::Top::loaded ? file.top_classes.value_or(0) : 0;
  m.spec = make_network(model, m.dialect, static_cast<int>(classes));
  load_weights(session, m.spec, weights, model, top);
  return m;
}

namespace {

std::vector<std::string> classes_of(const weights::FileInfo& file) {
  if (file.run && !file.run->classes.empty()) return file.run->classes;
  if (!file.top_classes)
    throw DataError(file.path.string(), "has no classifier", "Fine-tune it first, or ask for its features.");
  std::vector<std::string> names = weights::imagenet_classes();
  if (static_cast<size_t>(*file.top_classes) != names.size())
    throw DataError(file.path.string(), fmt::format("does not name its {} classes", *file.top_classes),
                    "Use a RUN folder or a best.h5 of this program, or weights of ImageNet's 1000 classes.");
  return names;
}

}  // namespace

LoadedModel load_classifier(Session& session, const std::filesystem::path& weights,
                            const WeightFileOptions& options) {
  const weights::FileInfo file = weights::probe(weights);
  if (!file.network)
    throw DataError(file.path.string(), "holds no network that is known here", "Name another file.");
  LoadedModel m{*file.network, dialect_of(file, *file.network, options.dialect), classes_of(file), {}, {}};
  m.id = id_of(file);
  settle_preprocess(m.dialect, m.model, options.preprocess, &file);
  m.spec = make_network(m.model, m.dialect, static_cast<int>(m.classes.size()));
  load_weights(session, m.spec, weights, m.model, weights::Top::loaded);
  return m;
}

Inference compile_network(Session& session, const LoadedModel& model, const InferenceOptions& options) {
  Inference network(model.spec, options, session.backend(), session.store(), session.memory());
  network.refresh();
  network.observe(session.observer());
  return network;
}

Dataset open_images(const std::filesystem::path& path, OnBadImage policy, const ViewOptions& view) {
  Dataset data = open_dataset(path, open_options(view, policy));
  for (const std::string& entry : data.left_out) log::warning("{}: is no image of a class, left out", entry);
  settle_bad_images(policy, scan(data), data);
  return data;
}

Dataset list_images(const std::vector<std::string>& paths, const View& view, OnBadImage policy) {
  Dataset data;
  data.source = "images";
  data.classes = {"unknown"};
  for (const std::string& path : paths) {
    std::error_code none;
    if (!std::filesystem::exists(path, none))
      throw MissingInputError(path, "does not exist", "name image files that are there");
    Sample s;
    s.images = {{path}};
    s.name = path;
    const auto parts = split_duration(path);
    s.glitch = parts ? parts->stem : path;
    if (parts)
      s.duration = parts->duration;
    else if (view.kind == View::Kind::single)
      s.duration = view.durations[0];
    data.samples.push_back(std::move(s));
  }
  apply_view(data, view, policy);
  return data;
}

}  // namespace xf::tool
