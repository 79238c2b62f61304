#include "engine/analyze/features_file.h"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "engine/core/error.h"
#include "engine/io/hdf5.h"
#include "tests/support/temporary_folder.h"

using xf::DataError;
using xf::hdf5::Writer;

namespace {

void matrix(Writer& file, const std::string& name, std::vector<int64_t> dims, float value = 1) {
  int64_t count = 1;
  for (const int64_t d : dims) count *= d;
  const std::vector<float> values(static_cast<size_t>(count), value);
  file.dataset(name, std::span<const int64_t>(dims), std::span<const float>(values));
}

void strings(Writer& file, const std::string& name, const std::vector<std::string>& values) {
  file.dataset(name, std::span<const std::string>(values));
}

void times(Writer& file, const std::vector<double>& values) {
  const auto length = static_cast<int64_t>(values.size());
  file.dataset("/gps", std::span(&length, 1), std::span<const double>(values));
}

/// Reads the file that `fill` writes.
xf::FeaturesFile read(const std::function<void(Writer&)>& fill) {
  const xf::test::TemporaryFolder folder;
  Writer file(folder / "f.h5");
  fill(file);
  file.commit();
  return xf::read_features_file(folder / "f.h5");
}

}  // namespace

TEST_CASE("a features file with everything, and one with features alone") {
  const xf::FeaturesFile f = read([](Writer& file) {
    matrix(file, "/features", {2, 3}, 0.5F);
    strings(file, "/ids", {"a", "b"});
    strings(file, "/labels", {"x", "y"});
    strings(file, "/paths", {"x/a.png", "y/b.png"});
    strings(file, "/splits", {"train", "test"});
    times(file, {1.5, std::numeric_limits<double>::quiet_NaN()});
    matrix(file, "/logits", {2, 2});
    strings(file, "/classes", {"x", "y"});
    file.attribute("/", xf::kFeaturesNetwork, std::string_view("resnet18"));
    file.attribute("/", xf::kFeaturesWeights, std::string_view("abc"));
    file.attribute("/", xf::kFeaturesLayer, std::string_view("features"));
    file.attribute("/", xf::kFeaturesView, std::string_view("merged"));
  });
  CHECK(f.features.count == 2);
  CHECK(f.features.dims == 3);
  CHECK(f.features.row(1)[2] == 0.5F);
  CHECK(f.labels == std::vector<std::string>{"x", "y"});
  CHECK(f.splits[1] == "test");
  CHECK(f.gps[0] == 1.5);
  CHECK(std::isnan(f.gps[1]));
  CHECK(f.logits.dims == 2);
  CHECK(f.network + f.weights + f.layer + f.view == "resnet18abcfeaturesmerged");
  const xf::FeaturesFile bare = read([](Writer& file) { matrix(file, "/features", {2, 3}); });
  CHECK(bare.ids.empty());
  CHECK(bare.gps.empty());
  CHECK(bare.logits.count == 0);
  CHECK(bare.network.empty());
}

TEST_CASE("each defect of a features file is named") {
  const auto says = [](const char* what, const std::function<void(Writer&)>& fill) {
    INFO(what);
    CHECK_THROWS_WITH_AS((void)read(fill), doctest::Contains(what), DataError);
  };
  const auto features = [](Writer& file) { matrix(file, "/features", {2, 3}); };
  says("no dataset /features", [](Writer& file) { matrix(file, "/other", {2, 3}); });
  says("no dataset /features", [](Writer& file) { file.group("/features"); });
  says("(2, 4, 4, 3)", [](Writer& file) { matrix(file, "/features", {2, 4, 4, 3}); });
  says("(0, 3)", [](Writer& file) { matrix(file, "/features", {0, 3}); });
  says("nan", [](Writer& file) { matrix(file, "/features", {2, 3}, std::nanf("")); });
  says("inf", [](Writer& file) {
    matrix(file, "/features", {2, 3}, std::numeric_limits<float>::infinity());
  });
  says("/features", [](Writer& file) { strings(file, "/features", {"a"}); });
  says("/labels has 3 entries for 2 images", [&](Writer& file) {
    features(file);
    strings(file, "/labels", {"x", "y", "z"});
  });
  says("/ids has 1 entries", [&](Writer& file) {
    features(file);
    strings(file, "/ids", {"x"});
  });
  says("/gps has 1 entries", [&](Writer& file) {
    features(file);
    times(file, {1});
  });
  says("infinite", [&](Writer& file) {
    features(file);
    times(file, {1, std::numeric_limits<double>::infinity()});
  });
  says("\"rest\"", [&](Writer& file) {
    features(file);
    strings(file, "/splits", {"train", "rest"});
  });
  says("no /classes", [&](Writer& file) {
    features(file);
    matrix(file, "/logits", {2, 2});
  });
  says("3 classes for 2 logits", [&](Writer& file) {
    features(file);
    matrix(file, "/logits", {2, 2});
    strings(file, "/classes", {"x", "y", "z"});
  });
  says("/logits has 3 entries", [&](Writer& file) {
    features(file);
    matrix(file, "/logits", {3, 2});
    strings(file, "/classes", {"x", "y"});
  });
  CHECK_THROWS_AS((void)xf::read_features_file("/nowhere.h5"), xf::MissingInputError);
}
