#pragma once
// A loaded network that classifies pictures in memory, one by one.

#include <optional>
#include <string>

#include "engine/io/image.h"
#include "engine/train/metrics.h"
#include "tools/xferrun/loaded_model.h"

namespace xf::tool {

class Classifier {
 public:
  /// The model must outlive it.
  Classifier(Session& session, const LoadedModel& model);
  /// Probabilities, features and logits of a picture of any size, which is preprocessed as the network's
  /// weights want it. Label and loss are left 0.
  [[nodiscard]] Prediction classify(const io::Image& picture);

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
