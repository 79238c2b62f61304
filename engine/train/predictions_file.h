#pragma once
// Predictions as a file (predictions.csv), so that networks can be compared image by image.

#include <filesystem>
#include <string>
#include <vector>

#include "engine/data/dataset.h"
#include "engine/train/metrics.h"

namespace xf {

/// Writes a line `id,label,predicted,probability,path` for each prediction: the glitch, the name of its class
/// and of the likeliest class, the probability of that as the network gave it (no temperature), and
/// Sample::name, or with View::Kind::all, where a prediction is a glitch's, the glitch again.
/// Prediction::sample is an index into the data. Throws WriteError.
void write_predictions(const std::filesystem::path& file, const Dataset& data,
                       const std::vector<Prediction>& predictions);

/// Of what write_predictions() wrote, what tells right from wrong.
struct NamedPrediction {
  std::string id, path, label, predicted;
};

/// Throws MissingInputError, and DataError for a file without one of the columns, without lines, or with a
/// path that is listed twice.
std::vector<NamedPrediction> read_predictions(const std::filesystem::path& file);

}  // namespace xf
