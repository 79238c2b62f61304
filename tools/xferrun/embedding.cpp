#include "tools/xferrun/embedding.h"

#include <algorithm>
#include <limits>

#include "engine/core/error.h"
#include "tools/xferrun/progress.h"

namespace xf::tool {

namespace {

void append(Points& points, const Tensor& rows, int64_t count) {
  const Shape& shape = rows.shape();
  if (shape.h * shape.w > 1) throw UsageError("--layer", "is one of maps", "choose one of vectors");
  points.dims = shape.c;
  points.count += count;
  const auto values = rows.as<float>();
  points.values.insert(points.values.end(), values.begin(), values.begin() + count * shape.c);
}

Points points_of(const std::vector<Prediction>& predictions, std::vector<float> Prediction::*what) {
  Points points{static_cast<int64_t>(predictions.size()), 0, {}};
  for (const Prediction& p : predictions) {
    points.dims = static_cast<int64_t>((p.*what).size());
    points.values.insert(points.values.end(), (p.*what).begin(), (p.*what).end());
  }
  return points;
}

}  // namespace

Embedding embed_images(Inference& network, Loader& loader) {
  Embedding result;
  Progress progress("features", "batches");
  int64_t done = 0;
  loader.start_epoch(0);
  for (ImageBatch batch; loader.next(batch);) {
    network.run(batch.images);
    const auto real =
        std::count_if(batch.samples.begin(), batch.samples.end(), [](int64_t s) { return s >= 0; });
    append(result.features, network.result(0), real);
    if (network.results() > 1) append(result.logits, network.result(1), real);
    progress.update(++done, loader.batches(), "");
  }
  return result;
}

FeaturesFile features_file(const Dataset& data, Points features) {
  FeaturesFile f;
  f.path = data.source;
  f.features = std::move(features);
  bool timed = false;
  for (const Sample& s : data.samples) {
    f.ids.push_back(s.glitch);
    f.labels.push_back(data.classes[static_cast<size_t>(s.label)]);
    f.paths.push_back(s.name);
    f.gps.push_back(s.gps.value_or(std::numeric_limits<double>::quiet_NaN()));
    timed = timed || s.gps;
  }
  if (!timed) f.gps.clear();
  return f;
}

std::vector<std::string> prediction_results() { return {"probabilities", "features", "logits"}; }

Points features_of(const std::vector<Prediction>& predictions) {
  return points_of(predictions, &Prediction::features);
}

Points logits_of(const std::vector<Prediction>& predictions) {
  return points_of(predictions, &Prediction::logits);
}

}  // namespace xf::tool
