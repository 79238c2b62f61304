#pragma once
// A loaded network that classifies pictures in memory, one by one.

#include <string>
#include <vector>

#include "engine/io/image.h"
#include "tools/xferrun/loaded_model.h"

namespace xf::tool {

class Classifier {
 public:
  /// The model must outlive it.
  Classifier(Session& session, const LoadedModel& model);
  /// Class probabilities of a picture of any size, which is preprocessed as the network's weights want it.
  [[nodiscard]] std::vector<float> probabilities(const io::Image& picture);

 private:
  const Dialect& dialect_;
  Inference network_;
  Tensor input_;
};

/// An image file as the network sees it in a view of one image, plain or single. Throws as xf::read_image(),
/// and DataError where it is smaller than 2x2.
io::Image read_picture(const std::string& path, const View& view);

/// The JSON of one classified picture: path, label, probability, the likeliest five, the weights' id.
nlohmann::ordered_json prediction_json(const std::string& path, const std::vector<float>& probabilities,
                                       const LoadedModel& model);

}  // namespace xf::tool
