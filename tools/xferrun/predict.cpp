#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "engine/core/error.h"
#include "engine/train/glitch_mean.h"
#include "engine/train/predict.h"
#include "tools/xferrun/classifier.h"
#include "tools/xferrun/command.h"
#include "tools/xferrun/command_line.h"
#include "tools/xferrun/grad_cam_pictures.h"
#include "tools/xferrun/loaded_model.h"
#include "tools/xferrun/predict_strain.h"
#include "tools/xferrun/predict_stream.h"
#include "tools/xferrun/training_run.h"

namespace xf::tool {

namespace {

struct PredictOptions {
  ReadingOptions reading;
  WeightFileOptions file;
  StreamOptions stream;
  StrainOptions strain;
  std::string model, view, grad_cam;
  std::vector<std::string> images;
  bool from_stdin = false, json = false;
};

void leave_out_bad(const PredictOptions& o, Dataset& data) {
  const Scan found = scan(data);
  if (found.bad.size() == data.samples.size()) {
    std::string all;
    for (const BadImage& bad : found.bad) all += (all.empty() ? "" : "; ") + bad.reason;
    throw DataError("images", "none can be used: " + all, "name others");
  }
  settle_bad_images(parse_on_bad_image(o.reading.on_bad_image), found, data);
}

LoadedModel load(Session& session, const PredictOptions& o, const std::optional<ExistingRun>& folder) {
  return folder ? load_run(session, *folder) : load_classifier(session, o.model, o.file);
}

/// What stands for a sample in the output: its file, or the common part of the names of its durations.
std::string shown_name(const Sample& sample, const View& view) {
  if (view.kind == View::Kind::all) return sample.glitch;
  return sample.name;
}

/// The Grad-CAM pictures of a prediction: one, or with View::Kind::all one of each of the glitch's images.
nlohmann::ordered_json pictures_of(const Prediction& p, const View& view, const Dataset& data,
                                   const std::vector<std::filesystem::path>& pictures) {
  const auto sample = static_cast<size_t>(p.sample);
  if (view.kind != View::Kind::all) return pictures[sample].string();
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (size_t i = 0; i < data.samples.size(); ++i)
    if (data.samples[i].glitch == data.samples[sample].glitch) all.push_back(pictures[i].string());
  return all;
}

void predict_images(const PredictOptions& o, const std::optional<ExistingRun>& folder, const View& view) {
  Dataset data = list_images(o.images, view, parse_on_bad_image(o.reading.on_bad_image));
  leave_out_bad(o, data);
  const auto pictures = o.grad_cam.empty() ? std::vector<std::filesystem::path>(data.samples.size())
                                           : grad_cam_paths(o.grad_cam, data);
  Session session(o.reading.device);
  const LoadedModel model = load(session, o, folder);
  check_view(view, model.dialect.channels);
  const int64_t batch = std::min(o.reading.batch, static_cast<int64_t>(data.samples.size()));
  const std::optional<OutOfClass> reference = folder ? out_of_class(*folder, model) : std::nullopt;
  Inference network = compile_network(session, model, prediction_options(session, batch));
  Loader loader(data.samples, evaluation_loader(model.dialect, batch));
  std::vector<Prediction> predictions = predict(network, loader);
  if (!o.grad_cam.empty()) write_grad_cam(session, model, data, predictions, pictures);
  if (view.kind == View::Kind::all) predictions = mean_by_glitch(predictions, data.samples);
  for (const Prediction& p : predictions) {
    const Sample& sample = data.samples[static_cast<size_t>(p.sample)];
    nlohmann::ordered_json line = prediction_json(shown_name(sample, view), p, model, reference);
    if (!o.grad_cam.empty()) line["grad_cam"] = pictures_of(p, view, data, pictures);
    print_line(json_text(line));
  }
  session.write_profile();
}

void require_one_source(const PredictOptions& o) {
  const int sources = (o.images.empty() ? 0 : 1) + (o.strain.file.empty() ? 0 : 1) +
                      (o.stream.folder.empty() ? 0 : 1) + (o.from_stdin ? 1 : 0);
  if (sources != 1)
    throw UsageError("predict", sources == 0 ? "needs pictures" : "takes pictures from one place at a time",
                     "name images, or give one of --strain with --gps, --watch, --stdin");
  if (o.strain.file.empty() != o.strain.gps.empty())
    throw UsageError("predict", "--strain and --gps go together", "give both");
  if (!o.stream.state.empty() && o.stream.folder.empty() && !o.from_stdin)
    throw UsageError("--state", "is for --watch and --stdin", "leave it out");
  if (!o.grad_cam.empty() && o.images.empty())
    throw UsageError("--grad-cam", "is for images that are named", "leave it out");
}

void run(const PredictOptions& o) {
  require_one_source(o);
  std::error_code none;
  const bool one_file = std::filesystem::is_regular_file(o.model, none);
  const std::optional<ExistingRun> folder = one_file ? std::nullopt : std::optional(open_run(o.model));
  if (folder) not_with_run(o.file);
  const View view = parse_view(folder ? view_of_run(*folder, o.view) : o.view);
  if (!o.images.empty()) return predict_images(o, folder, view);
  Session session(o.reading.device);
  const LoadedModel model = load(session, o, folder);
  check_view(view, model.dialect.channels);
  const std::optional<OutOfClass> reference = folder ? out_of_class(*folder, model) : std::nullopt;
  if (o.strain.file.empty()) {
    predict_stream(session, model, view, reference, o.stream);
  } else {
    predict_strain(session, model, view, reference, o.strain);
  }
  session.write_profile();
}

}  // namespace

void add_predict(CLI::App& app) {
  CLI::App& command = add_command(
      app, "predict", "classify images: one JSON line an image, in the order given or as they arrive",
      "xferrun predict run/ L1_1262400180.png L1_1260279044.png\n"
      "  xferrun predict run/ --strain H-H1_LOSC_4_V2-1126259446-32.hdf5 --gps 1126259462.42\n"
      "  xferrun predict run/ --watch incoming/ --state done.txt");
  const auto o = std::make_shared<PredictOptions>();
  command.add_option("model", o->model, "a RUN folder of fine-tune, or a weight file with its classifier")
      ->required();
  add_weight_file_options(command, o->file);
  command.add_option(
      "images", o->images,
      "PNG, JPEG or BMP files; for a view of several durations all files of a glitch, and a line a\n"
      "glitch is printed");
  add_view_option(command, o->view);
  command.add_option("--strain", o->strain.file,
                     "an HDF5 file of gwosc.org instead: its spectrogram is classified");
  command.add_option("--gps", o->strain.gps, "where in --strain; may be given several times")
      ->check(above_zero())
      ->allow_extra_args(false);
  command
      .add_option(
          "--duration", o->strain.duration,
          "seconds of --strain in the picture, where there is no view: 0.5, 1.0 (the default), 2.0 or 4.0")
      ->check(word_of(check_duration));
  command.add_option("--watch", o->stream.folder,
                     "a folder: image files are classified as they are there and arrive, until a signal");
  command.add_flag("--stdin", o->from_stdin, "paths from standard input, a line each");
  command.add_option("--state", o->stream.state,
                     "for --watch and --stdin: a file of what is done, so that a restart goes on from there");
  command.add_option("--grad-cam", o->grad_cam,
                     "folder for a picture of each image, dark where nothing speaks for its likeliest class");
  command.add_flag("--json", o->json, "accepted for symmetry: the output always is JSON lines");
  add_reading_options(command, o->reading);
  command.callback([o] { run(*o); });
}

}  // namespace xf::tool
