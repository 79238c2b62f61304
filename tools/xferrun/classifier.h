#pragma once
// A loaded network that classifies pictures in memory.

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/io/image.h"
#include "engine/train/metrics.h"
#include "tools/xferrun/loaded_model.h"

namespace xf::tool {

class Classifier {
 public:
  /// The model must outlive it. `batch`: how many pictures it computes at once.
  Classifier(Session& session, const LoadedModel& model, int64_t batch = 1);
  /// Probabilities, features and logits of a picture of any size, which is preprocessed as the network's
  /// weights want it. Label and loss are left 0.
  [[nodiscard]] Prediction classify(const io::Image& picture);
  /// The same of at most `batch` pictures.
  [[nodiscard]] std::vector<Prediction> classify(std::span<const io::Image> pictures);

 private:
  const Dialect& dialect_;
  Inference network_;
  Tensor input_;
};

/// An image file as the network sees it in a view of one image, plain or single. Throws as xf::read_image(),
/// and DataError where it is smaller than 2x2.
io::Image read_picture(const std::string& path, const View& view);

/// The JSON of one classified picture: path, label, probability, the likeliest five, with a reference how far
/// it is from every class, the weights' id.
nlohmann::ordered_json prediction_json(const std::string& path, const Prediction& p, const LoadedModel& model,
                                       const std::optional<OutOfClass>& reference);

/// What a network is compiled for whose predictions go there.
InferenceOptions prediction_options(const Session& session, int64_t batch);

}  // namespace xf::tool
