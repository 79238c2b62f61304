#include "engine/analyze/features_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "engine/core/error.h"
#include "engine/io/hdf5.h"

namespace xf {

namespace {

constexpr const char* kRemedy = "give a file that `xferrun features` wrote";

Points read_points(const hdf5::File& file, const std::string& dataset) {
  const std::vector<int64_t> dims = file.dims(dataset);
  if (dims.size() != 2 || dims[0] < 1 || dims[1] < 1)
    throw DataError(
        file.path().string(),
        fmt::format("{} is ({}): it must be (images, numbers of each)", dataset, fmt::join(dims, ", ")),
        dims.size() == 4 ? "ask `xferrun features` for a layer of vectors, not of maps" : kRemedy);
  Points points{dims[0], dims[1], file.read<float>(dataset)};
  const auto bad =
      std::find_if(points.values.begin(), points.values.end(), [](float x) { return !std::isfinite(x); });
  if (bad != points.values.end())
    throw DataError(
        file.path().string(),
        fmt::format("{} holds {} in row {}", dataset, *bad, (bad - points.values.begin()) / points.dims),
        "make the features again, from weights and images that are in order");
  return points;
}

void require_length(const hdf5::File& file, const std::string& dataset, int64_t length, int64_t images) {
  if (length != images)
    throw DataError(file.path().string(),
                    fmt::format("{} has {} entries for {} images", dataset, length, images), kRemedy);
}

std::vector<std::string> read_list(const hdf5::File& file, const std::string& dataset, int64_t images) {
  if (!file.exists(dataset)) return {};
  std::vector<std::string> list = file.read_strings(dataset);
  require_length(file, dataset, static_cast<int64_t>(list.size()), images);
  return list;
}

void read_splits(const hdf5::File& file, FeaturesFile& f) {
  f.splits = read_list(file, "/splits", f.features.count);
  for (const std::string& split : f.splits)
    if (split != "train" && split != "val" && split != "test")
      throw DataError(file.path().string(),
                      fmt::format("/splits holds \"{}\": it must be train, val or test", split), kRemedy);
}

void read_gps(const hdf5::File& file, FeaturesFile& f) {
  if (!file.exists("/gps")) return;
  f.gps = file.read<double>("/gps");
  require_length(file, "/gps", static_cast<int64_t>(f.gps.size()), f.features.count);
  if (std::any_of(f.gps.begin(), f.gps.end(), [](double t) { return std::isinf(t); }))
    throw DataError(file.path().string(), "/gps holds an infinite time", kRemedy);
}

void read_logits(const hdf5::File& file, FeaturesFile& f) {
  if (!file.exists("/logits")) return;
  f.logits = read_points(file, "/logits");
  require_length(file, "/logits", f.logits.count, f.features.count);
  if (!file.exists("/classes"))
    throw DataError(file.path().string(), "has /logits and no /classes that name them", kRemedy);
  f.classes = file.read_strings("/classes");
  if (static_cast<int64_t>(f.classes.size()) != f.logits.dims)
    throw DataError(file.path().string(),
                    fmt::format("/classes names {} classes for {} logits", f.classes.size(), f.logits.dims),
                    kRemedy);
}

}  // namespace

FeaturesFile read_features_file(const std::filesystem::path& path) {
  const hdf5::File file(path);
  if (!file.exists("/features") || !file.is_dataset("/features"))
    throw DataError(path.string(), "has no dataset /features", kRemedy);
  FeaturesFile f;
  f.path = path;
  f.features = read_points(file, "/features");
  f.ids = read_list(file, "/ids", f.features.count);
  f.labels = read_list(file, "/labels", f.features.count);
  f.paths = read_list(file, "/paths", f.features.count);
  read_splits(file, f);
  read_gps(file, f);
  read_logits(file, f);
  f.network = file.text("/", kFeaturesNetwork).value_or("");
  f.weights = file.text("/", kFeaturesWeights).value_or("");
  f.layer = file.text("/", kFeaturesLayer).value_or("");
  f.view = file.text("/", kFeaturesView).value_or("");
  return f;
}

}  // namespace xf
