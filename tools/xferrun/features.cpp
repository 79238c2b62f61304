#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>

#include "engine/analyze/features_file.h"
#include "engine/core/error.h"
#include "engine/core/log.h"
#include "engine/data/split.h"
#include "engine/data/split_file.h"
#include "engine/io/hdf5.h"
#include "models/registry.h"
#include "tools/xferrun/command.h"
#include "tools/xferrun/command_line.h"
#include "tools/xferrun/hdf5_output.h"
#include "tools/xferrun/loaded_model.h"
#include "tools/xferrun/training_run.h"
#include "tools/xferrun/version.h"
#include "tools/xferrun/world.h"

namespace xf::tool {

namespace {

struct FeaturesOptions {
  ReadingOptions reading;
  WeightFileOptions file;
  ViewOptions view;
  std::string run, model, weights, data, tensor, out, layer = "features";
  bool force = false;
};

/// FILE.h5:/dataset.
struct TensorInput {
  std::string file, dataset;
  std::vector<int64_t> dims;
};

TensorInput parse_tensor(const std::string& text) {
  const size_t colon = text.rfind(":/");
  if (colon == std::string::npos || colon == 0)
    throw UsageError("--tensor " + text, "does not name a dataset", "write FILE.h5:/dataset");
  return {text.substr(0, colon), text.substr(colon + 1), {}};
}

/// Collects the rows of one result, from all ranks in their order.
class Rows {
 public:
  /// The first `count` rows are of images.
  void add(const Tensor& t, int64_t count) {
    shape_ = t.shape();
    const auto each = static_cast<size_t>(shape_.count() / shape_.n);
    const auto mine = t.as<float>().first(static_cast<size_t>(count) * each);
    for (const std::vector<std::byte>& bytes : world().all_gather(std::as_bytes(mine))) {
      const size_t before = values_.size(), more = bytes.size() / sizeof(float);
      values_.resize(before + more);
      if (more > 0) std::memcpy(values_.data() + before, bytes.data(), bytes.size());
      rows_ += static_cast<int64_t>(more / each);
    }
  }
  void write(hdf5::Writer& file, const std::string& dataset) const {
    std::vector<int64_t> dims{rows_, shape_.c};
    if (shape_.h * shape_.w > 1) dims = {rows_, shape_.h, shape_.w, shape_.c};
    file.dataset(dataset, std::span<const int64_t>(dims), std::span<const float>(values_));
  }
  [[nodiscard]] int64_t count() const { return rows_; }

 private:
  Shape shape_;
  std::vector<float> values_;
  int64_t rows_ = 0;
};

/// What is known besides the features.
struct Known {
  std::string network, weights;  // which made them
  std::string view;              // of the glitches' images; empty for a tensor
  std::optional<Rows> logits;
  std::vector<std::string> classes;
  std::vector<Part> parts;
};

InferenceOptions options_for(const FeaturesOptions& o, const Session& session, int64_t images) {
  InferenceOptions options = inference_options(session, batch_of_rank(o.reading, images));
  options.results = {o.layer};
  return options;
}

LoadedModel load(Session& session, const FeaturesOptions& o, InputKind input) {
  if (!o.run.empty()) return load_run(session, open_run(o.run));
  const weights::Top top = o.layer == "logits" ? weights::Top::loaded : weights::Top::replaced;
  return load_weight_file(session, o.model, o.weights, o.file, input, top);
}

/// Compiles for the tensor's rows and columns, which may be too few.
Inference for_size_of(const TensorInput& in, const LoadedModel& model, const InferenceOptions& options,
                      Session& session) {
  try {
    return compile_network(session, model, options);
  } catch (const ShapeError& e) {
    throw DataError(in.file,
                    fmt::format("{} holds images of {}x{}, which {} cannot take: {}", in.dataset, in.dims[1],
                                in.dims[2], model.model, e.what()),
                    fmt::format("make them of {}x{}", model.dialect.height, model.dialect.width));
  }
}

void run_tensor(const FeaturesOptions& o, Session& session, Rows& rows, Known& known) {
  TensorInput in = parse_tensor(o.tensor);
  const hdf5::File file(in.file);
  if (!file.exists(in.dataset) || !file.is_dataset(in.dataset))
    throw DataError(in.file, "has no dataset " + in.dataset, "write FILE.h5:/dataset with one that it has");
  in.dims = file.dims(in.dataset);
  LoadedModel model = load(session, o, InputKind::tensor);
  known.network = model.model;
  known.weights = model.id;
  const int channels = model.spec.channels;
  if (in.dims.size() != 4 || in.dims[3] != channels || in.dims[0] < 1 || in.dims[1] < 1 || in.dims[2] < 1)
    throw DataError(in.file, fmt::format("{} is ({})", in.dataset, fmt::join(in.dims, ", ")),
                    fmt::format("it must hold numbers as (images, rows, columns, {} channel{}), already "
                                "preprocessed",
                                channels, channels == 1 ? "" : "s"));
  model.spec.height = static_cast<int>(in.dims[1]);
  model.spec.width = static_cast<int>(in.dims[2]);
  InferenceOptions options = options_for(o, session, in.dims[0]);
  options.input = InputKind::tensor;
  Inference network = for_size_of(in, model, options, session);
  Tensor batch({options.batch, in.dims[1], in.dims[2], channels});
  const int64_t all = options.batch * world().size();
  for (int64_t step = 0; step < in.dims[0]; step += all) {
    const int64_t first = std::min(in.dims[0], step + options.batch * world().rank());
    const int64_t count = std::min(options.batch, in.dims[0] - first);
    const auto values =
        batch.as<float>().first(static_cast<size_t>(count * in.dims[1] * in.dims[2] * channels));
    if (count > 0) file.read_rows(in.dataset, first, count, values);
    if (!std::all_of(values.begin(), values.end(), [](float x) { return std::isfinite(x); }))
      throw DataError(in.file, in.dataset + " holds values that are not finite", "correct what wrote it");
    network.run(batch);
    rows.add(network.result(0), count);
  }
}

/// The parts in which the run saw the images; or those that the data brings, where it is other data.
std::vector<Part> known_parts(const FeaturesOptions& o, const Dataset& data) {
  if (o.run.empty()) return own_split(data);
  const ExistingRun run = open_run(o.run);
  std::error_code none;
  if (!std::filesystem::exists(run.split(), none)) return own_split(data);
  try {
    return read_split(run.split(), data);
  } catch (const DataError& e) {
    log::info("{}: no /splits are written from it", e.what());
    return own_split(data);
  }
}

Dataset run_images(const FeaturesOptions& o, Session& session, Rows& rows, Known& known) {
  const std::string view = o.run.empty() ? o.view.view : view_of_run(open_run(o.run), o.view.view);
  Dataset data = open_images(o.data, parse_on_bad_image(o.reading.on_bad_image), {view, o.view.metadata});
  const LoadedModel model = load(session, o, InputKind::images);
  check_view(data.view, model.dialect.channels);
  known.view = name(data.view);
  InferenceOptions options = options_for(o, session, static_cast<int64_t>(data.samples.size()));
  known.network = model.model;
  known.weights = model.id;
  known.parts = known_parts(o, data);
  if (!o.run.empty() && o.layer != "logits") {
    options.results.emplace_back("logits");
    known.logits.emplace();
    known.classes = model.classes;
  }
  Inference network = compile_network(session, model, options);
  Loader loader(data.samples, evaluation_loader(model.dialect, options.batch));
  loader.start_epoch(0);
  for (ImageBatch batch; loader.next(batch);) {
    network.run(batch.images);
    const auto real =
        std::count_if(batch.samples.begin(), batch.samples.end(), [](int64_t s) { return s >= 0; });
    rows.add(network.result(0), real);
    if (known.logits) known.logits->add(network.result(1), real);
  }
  return data;
}

void write_samples(hdf5::Writer& file, const Dataset& data) {
  std::vector<std::string> ids, labels, paths;
  std::vector<double> gps;
  for (const Sample& s : data.samples) {
    ids.push_back(s.glitch);
    labels.push_back(data.classes[static_cast<size_t>(s.label)]);
    paths.push_back(s.name);
    gps.push_back(s.gps.value_or(std::numeric_limits<double>::quiet_NaN()));
  }
  const auto images = static_cast<int64_t>(gps.size());
  if (std::any_of(gps.begin(), gps.end(), [](double t) { return !std::isnan(t); }))
    file.dataset("/gps", std::span(&images, 1), std::span<const double>(gps));
  file.dataset("/ids", std::span<const std::string>(ids));
  file.dataset("/labels", std::span<const std::string>(labels));
  file.dataset("/paths", std::span<const std::string>(paths));
}

void write_known(hdf5::Writer& file, const Known& known) {
  file.attribute("/", kFeaturesNetwork, std::string_view(known.network));
  file.attribute("/", kFeaturesWeights, std::string_view(known.weights));
  if (!known.view.empty()) file.attribute("/", kFeaturesView, std::string_view(known.view));
  if (!known.parts.empty()) {
    std::vector<std::string> splits;
    for (const Part part : known.parts) splits.emplace_back(name(part));
    file.dataset("/splits", std::span<const std::string>(splits));
  }
  if (!known.logits) return;
  known.logits->write(file, "/logits");
  file.dataset("/classes", std::span<const std::string>(known.classes));
}

constexpr const char* kWrittenBy = "xferrun_features";  // attribute: the version that wrote the file

void run(const FeaturesOptions& o) {
  if (o.run.empty() == o.weights.empty())
    throw UsageError("features", "needs a network", "give a RUN folder, or --model and --weights");
  if (!o.weights.empty() && o.model.empty())
    throw UsageError("--model", "is needed with --weights", "say which network they are of");
  if (!o.run.empty()) {
    not_with_run("--model", o.model);
    not_with_run(o.file);
  }
  if (o.data.empty() == o.tensor.empty())
    throw UsageError("features", "needs images", "give either --data or --tensor");
  if (is_writer()) check_output(o.out, o.force, {kWrittenBy, "features", "this command"});
  std::optional<hdf5::Writer> file;
  if (is_writer()) file.emplace(o.out);  // first: what cannot be written is better known before the work
  Session session(o.reading.device);
  Rows rows;
  Known known;
  std::optional<Dataset> data;
  if (o.tensor.empty())
    data = run_images(o, session, rows, known);
  else
    run_tensor(o, session, rows, known);
  if (!file) return;
  if (data) write_samples(*file, *data);
  write_known(*file, known);
  file->attribute("/", kFeaturesLayer, std::string_view(o.layer));
  rows.write(*file, "/features");
  file->attribute("/", kWrittenBy, std::string_view(version_number()));
  file->commit();
  session.write_profile();
  print_line(std::to_string(rows.count()) + " images written to " + o.out);
}

}  // namespace

void add_features(CLI::App& app) {
  CLI::App& command = add_command(app, "features", "map images to vectors: a network's penultimate layer",
                                  "xferrun features run/ --data glitches/ --out features.h5");
  const auto o = std::make_shared<FeaturesOptions>();
  command.add_option("run", o->run, "a RUN folder of fine-tune");
  command.add_option("--model", o->model, "the network of --weights, as in fine-tune")
      ->check(word_of(find_model));
  command.add_option("--weights", o->weights, "a weight file instead of a RUN folder");
  command.add_option("--data", o->data, kDataHelp);
  command.add_option("--tensor", o->tensor,
                     "FILE.h5:/dataset: (images, rows, columns, channels) numbers, already preprocessed");
  command
      .add_option("--out", o->out,
                  "the HDF5 file to write: /features, /ids, /labels, /paths; where known also /gps, /splits "
                  "and, of a\n"
                  "RUN, /logits with /classes")
      ->required();
  command.add_flag("--force", o->force, "replace earlier features in --out, and nothing else");
  command
      .add_option("--layer", o->layer,
                  "features, pool (the mean of the last map), logits, or a named map: see plan --explain")
      ->capture_default_str();
  add_view_options(command, o->view);
  add_weight_file_options(command, o->file);
  add_reading_options(command, o->reading);
  command.callback([o] { run(*o); });
}

}  // namespace xf::tool
