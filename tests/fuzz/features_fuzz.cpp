#include "engine/analyze/features_file.h"
#include "tests/fuzz/hdf5_choice.h"

using namespace xf;
using fuzz::Choice;

namespace {

void fill(hdf5::Writer& file, Choice& choose) {
  const auto images = choose.ConsumeIntegralInRange<int64_t>(0, 5),
             dims = choose.ConsumeIntegralInRange<int64_t>(0, 5);
  const auto matrix = [&](const char* name) {
    fuzz::add_numbers(file, choose, name,
                      fuzz::oddly(choose) ? fuzz::any_dims(choose, 5) : std::vector<int64_t>{images, dims},
                      {0, 1, -2.5});
  };
  const auto list = [&](const char* name, int64_t count, std::initializer_list<const char*> usual) {
    if (!fuzz::oddly(choose)) fuzz::add_texts(file, choose, name, static_cast<size_t>(count), usual);
  };
  matrix("/features");
  list("/ids", images, {"a", "b"});
  list("/labels", images, {"Blip", "Chirp"});
  list("/paths", images, {"Blip/a", "Chirp/b"});
  list("/splits", images, {"train", "val", "test"});
  if (!fuzz::oddly(choose)) fuzz::add_numbers(file, choose, "/gps", {images}, {1e9, 1126259462.4});
  if (!fuzz::oddly(choose)) matrix("/logits");
  list("/classes", dims, {"Blip", "Chirp"});
  for (const char* name : {kFeaturesNetwork, kFeaturesWeights, kFeaturesLayer, kFeaturesView})
    if (choose.ConsumeBool())
      file.attribute("/", name, std::string_view(fuzz::word(choose, {"x", "merged"})));
  if (fuzz::oddly(choose)) file.attribute("/", kFeaturesNetwork, 1.0);
}

void check_points(const Points& points) {
  fuzz::require(points.values.size() == static_cast<size_t>(points.count * points.dims));
  for (const float x : points.values) fuzz::require(std::isfinite(x));
}

}  // namespace

void xf::fuzz::read(std::span<const uint8_t> input) {
  Choice choose(input.data(), input.size());
  const auto path = write_hdf5("features.h5", [&](hdf5::Writer& to) { fill(to, choose); });
  if (!path) return;
  read_or_refuse([&] {
    const FeaturesFile f = read_features_file(*path);
    const auto images = static_cast<size_t>(f.features.count);
    require(images > 0 && f.features.dims > 0);
    check_points(f.features);
    check_points(f.logits);
    for (const auto* list : {&f.ids, &f.labels, &f.paths, &f.splits})
      require(list->empty() || list->size() == images);
    require(f.gps.empty() || f.gps.size() == images);
    require(f.classes.size() == static_cast<size_t>(f.logits.dims));
  });
}
