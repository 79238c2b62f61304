// A trained network behind the C API.

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <mutex>

#include "engine/core/error.h"
#include "engine/core/threads.h"
#include "tools/embed/guarded.h"
#include "tools/xferrun/classifier.h"

namespace {

using xf::UsageError;

/// Those of the caller, whose version of the struct may be older, or newer by fields that are not used.
xf_load_options known_options(const xf_load_options* given) {
  xf_load_options options = XF_LOAD_OPTIONS;
  if (given == nullptr) return options;
  constexpr size_t kLargest = 4096;
  if (given->size < sizeof(size_t) || given->size > kLargest)
    throw UsageError("options", fmt::format("have a size of {}", given->size), "begin with XF_LOAD_OPTIONS");
  const auto* bytes = reinterpret_cast<const char*>(given);
  const auto is_set = [](char byte) { return byte != 0; };
  if (given->size > sizeof options && std::any_of(bytes + sizeof options, bytes + given->size, is_set))
    throw UsageError("options", "ask for what this version of the library does not know",
                     "install a newer one");
  std::memcpy(&options, given, std::min(given->size, sizeof options));
  return options;
}

xf::tool::DeviceOptions device_options(const xf_load_options& options) {
  xf::tool::DeviceOptions device;
  if (options.device != nullptr) device.device = options.device;
  if (options.precision != nullptr) device.precision = options.precision;
  return device;
}

int64_t batch_of(const xf_load_options& options) {
  constexpr int32_t kLargest = 65536;
  if (options.batch < 0 || options.batch > kLargest)
    throw UsageError("batch", fmt::format("must be from 0 to {}, not {}", kLargest, options.batch));
  return std::max<int64_t>(1, options.batch);
}

/// How long the feature vector is.
int32_t width_of_features(const xf::NetworkSpec& network) {
  xf::InferenceOptions options;
  options.batch = 1;
  options.results = {"features"};
  return static_cast<int32_t>(record_inference(network, options).keep.at(0).shape().count());
}

}  // namespace

struct xf_model {
  xf_model(const xf::tool::ExistingRun& run, const xf_load_options& options)
      : threads(xf::threads()),
        batch(batch_of(options)),
        view(xf::parse_view(view_of_run(run, ""))),
        session(device_options(options)),
        network(load_run(session, run)),
        classifier(session, network, batch),
        features(width_of_features(network.spec)) {}

  /// One row of results of each picture, `batch` pictures at a time; `picture` makes the i-th.
  template <class Picture>
  void compute(size_t count, const Picture& picture, std::vector<float> xf::Prediction::*row, float* out) {
    const std::lock_guard one_at_a_time(mutex);
    const xf::ThreadsOfCaller own(threads);
    for (size_t first = 0; first < count; first += static_cast<size_t>(batch)) {
      std::vector<xf::io::Image> pictures;
      for (size_t i = first; i < std::min(count, first + static_cast<size_t>(batch)); ++i)
        pictures.push_back(picture(i));
      for (const xf::Prediction& p : classifier.classify(pictures))
        out = std::copy((p.*row).begin(), (p.*row).end(), out);
    }
  }

  std::mutex mutex;
  int threads;
  int64_t batch;
  xf::View view;
  xf::tool::Session session;
  xf::tool::LoadedModel network;
  xf::tool::Classifier classifier;
  int32_t features;
};

namespace {

using Row = std::vector<float> xf::Prediction::*;

xf_status compute_pixels(xf_model* model, const uint8_t* rgb, size_t count, int32_t height, int32_t width,
                         Row row, float* out, xf_error* error) {
  return xf::embed::guarded(error, [&] {
    xf::embed::require(model, "model");
    if (count == 0) return;
    xf::embed::require(rgb, "rgb");
    xf::embed::require(out, "the output");
    const auto usable = [](int32_t side) { return side >= 2 && side <= xf::io::kMaxImageSide; };
    if (!usable(height) || !usable(width))
      throw UsageError("height x width", fmt::format("cannot be {}x{}", height, width),
                       fmt::format("give from 2 to {} for each", xf::io::kMaxImageSide));
    const size_t bytes = size_t{3} * static_cast<size_t>(height) * static_cast<size_t>(width);
    const auto picture = [&](size_t i) {
      const uint8_t* from = rgb + i * bytes;
      return xf::io::Image{width, height, {from, from + bytes}};
    };
    model->compute(count, picture, row, out);
  });
}

xf_status compute_files(xf_model* model, const char* const* paths, size_t count, Row row, float* out,
                        xf_error* error) {
  return xf::embed::guarded(error, [&] {
    xf::embed::require(model, "model");
    if (count == 0) return;
    xf::embed::require(paths, "paths");
    xf::embed::require(out, "the output");
    if (model->view.kind != xf::View::Kind::plain && model->view.kind != xf::View::Kind::single)
      throw UsageError("the run's view " + name(model->view), "takes several images of a glitch",
                       "compose them, and give their pixels");
    const auto picture = [&](size_t i) {
      xf::embed::require(paths[i], "a path");
      return xf::tool::read_picture(paths[i], model->view);
    };
    model->compute(count, picture, row, out);
  });
}

}  // namespace

xf_status xf_load(const char* run, const xf_load_options* options, xf_model** model, xf_error* error) {
  if (model != nullptr) *model = nullptr;
  return xf::embed::guarded(error, [&] {
    xf::embed::require(run, "run");
    xf::embed::require(model, "model");
    const xf_load_options known = known_options(options);
    const xf::ThreadsOfCaller own(known.threads);
    *model = std::make_unique<xf_model>(xf::tool::open_run(run), known).release();
  });
}

void xf_free(xf_model* model) { delete model; }

int32_t xf_class_count(const xf_model* model) { return static_cast<int32_t>(model->network.classes.size()); }

const char* xf_class_name(const xf_model* model, int32_t index) {
  if (index < 0 || index >= xf_class_count(model)) return nullptr;
  return model->network.classes[static_cast<size_t>(index)].c_str();
}

int32_t xf_feature_count(const xf_model* model) { return model->features; }

void xf_input_size(const xf_model* model, int32_t* height, int32_t* width) {
  *height = model->network.dialect.height;
  *width = model->network.dialect.width;
}

const char* xf_model_id(const xf_model* model) { return model->network.id.c_str(); }

xf_status xf_classify(xf_model* model, const uint8_t* rgb, size_t count, int32_t height, int32_t width,
                      float* probabilities, xf_error* error) {
  return compute_pixels(model, rgb, count, height, width, &xf::Prediction::probabilities, probabilities,
                        error);
}

xf_status xf_features(xf_model* model, const uint8_t* rgb, size_t count, int32_t height, int32_t width,
                      float* features, xf_error* error) {
  return compute_pixels(model, rgb, count, height, width, &xf::Prediction::features, features, error);
}

xf_status xf_classify_files(xf_model* model, const char* const* paths, size_t count, float* probabilities,
                            xf_error* error) {
  return compute_files(model, paths, count, &xf::Prediction::probabilities, probabilities, error);
}

xf_status xf_features_files(xf_model* model, const char* const* paths, size_t count, float* features,
                            xf_error* error) {
  return compute_files(model, paths, count, &xf::Prediction::features, features, error);
}
