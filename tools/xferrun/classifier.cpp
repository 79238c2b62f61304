#include "tools/xferrun/classifier.h"

#include <algorithm>

#include "engine/core/error.h"
#include "engine/core/threads.h"
#include "engine/data/pixels.h"
#include "engine/data/resize.h"
#include "engine/train/metrics.h"
#include "tools/xferrun/embedding.h"

namespace xf::tool {

Classifier::Classifier(Session& session, const LoadedModel& model, int64_t batch)
    : dialect_(model.dialect),
      network_(compile_network(session, model, prediction_options(session, batch))),
      input_({batch, dialect_.height, dialect_.width, dialect_.channels}, DType::u8) {}

Prediction Classifier::classify(const io::Image& picture) { return classify(std::span(&picture, 1)).front(); }

std::vector<Prediction> Classifier::classify(std::span<const io::Image> pictures) {
  if (pictures.size() > static_cast<size_t>(network_.batch()))
    throw InternalError("Classifier", "was made for fewer pictures");
  const std::span<uint8_t> pixels = input_.as<uint8_t>();
  const size_t bytes = pixels.size() / static_cast<size_t>(network_.batch());
  parallel_for(static_cast<int64_t>(pictures.size()), [&](int64_t at) {
    const auto i = static_cast<size_t>(at);
    resize(pictures[i], dialect_.resize, dialect_.height, dialect_.width, dialect_.channels,
           pixels.subspan(i * bytes, bytes));
  });
  network_.run(input_);  // what is left of earlier pictures in the rows behind has no influence
  std::vector<Prediction> predictions(pictures.size());
  const auto rows_of = [&](size_t index, std::vector<float> Prediction::*row) {
    const Tensor tensor = network_.result(index);
    const auto values = tensor.as<float>();
    const size_t width = values.size() / static_cast<size_t>(network_.batch());
    for (size_t i = 0; i < predictions.size(); ++i) {
      const auto one = values.subspan(i * width, width);
      (predictions[i].*row).assign(one.begin(), one.end());
    }
  };
  rows_of(0, &Prediction::probabilities);
  rows_of(1, &Prediction::features);
  rows_of(2, &Prediction::logits);
  return predictions;
}

InferenceOptions prediction_options(const Session& session, int64_t batch) {
  InferenceOptions options = inference_options(session, batch);
  options.results = prediction_results();
  return options;
}

io::Image read_picture(const std::string& path, const View& view) {
  Sample sample;
  sample.images = {{path}};
  sample.composition = view.kind == View::Kind::single ? Composition::single : Composition::plain;
  io::Image picture = read_image(sample);
  if (picture.width < 2 || picture.height < 2)
    throw DataError(path, "shows nothing over time and frequency", "Name another file.");
  return picture;
}

nlohmann::ordered_json prediction_json(const std::string& path, const Prediction& p, const LoadedModel& model,
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
  return j;
}

}  // namespace xf::tool
