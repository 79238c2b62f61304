#include "tools/xferrun/loaded_model.h"

#include "engine/core/error.h"
#include "engine/core/log.h"
#include "tools/xferrun/command_line.h"
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

LoadedModel load_run(Session& session, const ExistingRun& run) {
  const weights::RunInfo info = weights::read_run_info(run.best());
  LoadedModel m{info.network, info.dialect, info.classes, info.model_id, {}};
  const weights::FileInfo file = weights::probe(run.best());
  settle_preprocess(m.dialect, m.model, "", &file);
  m.spec = make_network(m.model, m.dialect, static_cast<int>(m.classes.size()));
  load_weights(session, m.spec, run.best(), m.model, weights::Top::loaded);
  return m;
}

LoadedModel load_weight_file(Session& session, const std::string& model, const std::filesystem::path& weights,
                             const std::string& dialect, const std::string& preprocess, InputKind input,
                             weights::Top top) {
  const weights::FileInfo file = weights::probe(weights);
  LoadedModel m{model, dialect_of(file, model, dialect), {}, {}, {}};
  if (input == InputKind::images || !preprocess.empty())
    settle_preprocess(m.dialect, model, preprocess, &file);
  const int64_t classes = top == weights::Top::loaded ? file.top_classes.value_or(0) : 0;
  m.spec = make_network(model, m.dialect, static_cast<int>(classes));
  load_weights(session, m.spec, weights, model, top);
  return m;
}

Inference compile_network(Session& session, const LoadedModel& model, const InferenceOptions& options) {
  Inference network(model.spec, options, session.backend(), session.store(), session.memory());
  network.refresh();
  network.observe(session.observer());
  return network;
}

Dataset open_images(const std::filesystem::path& path, OnBadImage policy) {
  Dataset data = open_dataset(path);
  for (const std::string& entry : data.left_out) log::warning("{}: is no image of a class, left out", entry);
  settle_bad_images(policy, scan(data), data);
  return data;
}

Dataset list_images(const std::vector<std::string>& paths) {
  Dataset data;
  data.source = "images";
  data.classes = {"unknown"};
  for (const std::string& path : paths) {
    std::error_code none;
    if (!std::filesystem::exists(path, none))
      throw MissingInputError(path, "does not exist", "name image files that are there");
    Sample s;
    s.path = s.name = path;
    s.glitch = path;
    data.samples.push_back(std::move(s));
  }
  return data;
}

}  // namespace xf::tool
