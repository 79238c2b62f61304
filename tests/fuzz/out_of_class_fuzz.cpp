#include "engine/analyze/out_of_class.h"
#include "tests/fuzz/hdf5_choice.h"

using namespace xf;
using fuzz::Choice;

namespace {

void fill(hdf5::Writer& file, Choice& choose) {
  const auto axes = choose.ConsumeIntegralInRange<int64_t>(0, 3),
             dims = choose.ConsumeIntegralInRange<int64_t>(0, 4),
             classes = choose.ConsumeIntegralInRange<int64_t>(0, 3);
  const auto add = [&](const char* name, const std::vector<int64_t>& usual) {
    fuzz::add_numbers(file, choose, name, fuzz::oddly(choose) ? fuzz::any_dims(choose, 6) : usual,
                      {0, 1, 0.5});
  };
  add("/mean", {dims});
  add("/axes", {axes, dims});
  add("/class_means", {classes, axes});
  add("/whiten", {axes, axes});
  add("/held_out_scores", {choose.ConsumeIntegralInRange<int64_t>(0, 20)});
  add("/scales", {6});
  if (!fuzz::oddly(choose)) file.attribute("/", "logits", fuzz::number(choose, {0, 2, 3}));
  if (!fuzz::oddly(choose)) file.attribute("/", "weights", std::string_view(fuzz::word(choose, {"id"})));
}

}  // namespace

void xf::fuzz::read(std::span<const uint8_t> input) {
  Choice choose(input.data(), input.size());
  const auto path = write_hdf5("out_of_class.h5", [&](hdf5::Writer& to) { fill(to, choose); });
  if (!path) return;
  read_or_refuse([&] {
    const OutOfClass reference = OutOfClass::read(*path, "id");
    require(reference.feature_dims() > 0 && reference.logit_dims() >= 0);
    const std::vector<float> features(static_cast<size_t>(reference.feature_dims()), 1),
        logits(static_cast<size_t>(std::min<int64_t>(reference.logit_dims(), 1000)), 1);
    const double share = reference.calibrated(reference.score(features, logits));
    require(share >= 0 && share < 1);
  });
}
