#include "engine/train/predict.h"

#include <utility>

#include "engine/train/gather.h"

namespace xf {

namespace {

std::vector<float> row_of(const Tensor& rows, size_t i) {
  const auto width = static_cast<size_t>(rows.shape().count() / rows.shape().n);
  const auto row = rows.as<float>().subspan(i * width, width);
  return {row.begin(), row.end()};
}

/// Those of a batch that are images.
std::vector<Prediction> predictions_of(Inference& inference, const ImageBatch& batch) {
  inference.run(batch.images);
  const Tensor probabilities = inference.result(0);
  const bool everything = inference.results() == 3;
  const Tensor features = everything ? inference.result(1) : Tensor();
  const Tensor logits = everything ? inference.result(2) : Tensor();
  std::vector<Prediction> predictions;
  for (size_t i = 0; i < batch.samples.size(); ++i) {
    if (batch.samples[i] < 0) continue;
    Prediction one{batch.samples[i], batch.labels.as<int32_t>()[i], 0, row_of(probabilities, i)};
    if (everything) {
      one.features = row_of(features, i);
      one.logits = row_of(logits, i);
    }
    one.loss = cross_entropy(one.probabilities, one.label);
    predictions.push_back(std::move(one));
  }
  return predictions;
}

}  // namespace

std::vector<Prediction> predict(Inference& inference, Loader& loader, Comm& comm,
                                const std::function<void()>& before_batch) {
  std::vector<Prediction> predictions;
  ImageBatch batch;
  loader.start_epoch(0);
  while (loader.next(batch)) {
    if (before_batch) before_batch();
    const std::vector<Prediction> all = gather(predictions_of(inference, batch), comm);
    predictions.insert(predictions.end(), all.begin(), all.end());
  }
  return predictions;
}

}  // namespace xf
