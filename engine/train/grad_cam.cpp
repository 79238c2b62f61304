#include "engine/train/grad_cam.h"

#include <algorithm>
#include <cmath>

#include "engine/autograd/gradients.h"
#include "engine/core/error.h"

namespace xf {

namespace {

/// The places between which a larger map's place lies, and how near it is to the second.
struct Between {
  int first, second;
  float weight;
};

Between between(int place, int places, int cells) {
  const float at =
      (static_cast<float>(place) + 0.5F) * static_cast<float>(cells) / static_cast<float>(places) - 0.5F;
  const float clamped = std::clamp(at, 0.0F, static_cast<float>(cells - 1));
  const int first = static_cast<int>(clamped);
  return {first, std::min(first + 1, cells - 1), clamped - static_cast<float>(first)};
}

/// One image's heat: `map` is (rows,columns,channels), `weights` (channels).
HeatMap heat_of(const Shape& shape, std::span<const float> map, std::span<const float> weights) {
  HeatMap heat{static_cast<int>(shape.h), static_cast<int>(shape.w), {}};
  const auto channels = static_cast<size_t>(shape.c);
  for (size_t at = 0; at < map.size(); at += channels) {
    double sum = 0;
    for (size_t c = 0; c < channels; ++c) sum += static_cast<double>(weights[c]) * map[at + c];
    heat.values.push_back(static_cast<float>(std::max(sum, 0.0)));
  }
  const float most = *std::max_element(heat.values.begin(), heat.values.end());
  if (most > 0)
    for (float& v : heat.values) v /= most;
  return heat;
}

}  // namespace

HeatMap resize(const HeatMap& map, int rows, int columns) {
  HeatMap out{rows, columns, {}};
  out.values.reserve(static_cast<size_t>(rows) * static_cast<size_t>(columns));
  const auto at = [&](int row, int column) {
    return map
        .values[static_cast<size_t>(row) * static_cast<size_t>(map.columns) + static_cast<size_t>(column)];
  };
  for (int r = 0; r < rows; ++r) {
    const Between y = between(r, rows, map.rows);
    for (int c = 0; c < columns; ++c) {
      const Between x = between(c, columns, map.columns);
      out.values.push_back(std::lerp(std::lerp(at(y.first, x.first), at(y.first, x.second), x.weight),
                                     std::lerp(at(y.second, x.first), at(y.second, x.second), x.weight),
                                     y.weight));
    }
  }
  return out;
}

GradCam::GradCam(const NetworkSpec& spec, const GradCamOptions& options, Backend& backend, ParamStore& store,
                 ActivationMemory& memory) {
  Graph g;
  NetOptions net = spec.net;
  net.mode = Mode::infer;
  const Value logits =
      spec.build(Net(g, net), record_input(g, spec, options.batch, InputKind::images)).logits;
  if (!logits) throw UsageError("Grad-CAM", "needs a network with a classifier; this one has none");
  scores_ = logits.shape();
  const Value map = g.node(g.named("pool")).inputs.at(0);
  // The seed is 1 at the class asked for: the gradient of its score alone.
  const Value gradient = gradients(logits, std::array{map}, g.input("class", {scores_, DType::f32})).at(0);
  g.set_scope("grad_cam");
  const std::array keep{g.add(Cast{DType::f32}, {map}),
                        g.add(Cast{DType::f32}, {g.add(GlobalAvgPool{}, {gradient})})};
  store.declare(g);
  const CompileOptions compile_options{options.precision, Weights::changing, options.allow_reference};
  executor_ = std::make_unique<Executor>(compile(g, keep, compile_options, backend), backend, store, memory);
}

std::vector<HeatMap> GradCam::run(const Tensor& images, std::span<const int32_t> classes) {
  Tensor seed(scores_);
  const auto scores = static_cast<size_t>(scores_.c);
  for (size_t i = 0; i < classes.size(); ++i) {
    if (classes[i] < 0 || static_cast<size_t>(classes[i]) >= scores)
      throw InternalError("Grad-CAM", "there is no class " + std::to_string(classes[i]));
    seed.as<float>()[i * scores + static_cast<size_t>(classes[i])] = 1;
  }
  executor_->write("images", images);
  executor_->write("class", seed);
  executor_->run_batch();
  const Tensor map = executor_->fetch(0), weights = executor_->fetch(1);
  const auto channels = static_cast<size_t>(map.shape().c);
  const size_t image = static_cast<size_t>(map.shape().h * map.shape().w) * channels;
  std::vector<HeatMap> heats;
  for (size_t i = 0; i < classes.size(); ++i)
    heats.push_back(heat_of(map.shape(), map.as<float>().subspan(i * image, image),
                            weights.as<float>().subspan(i * channels, channels)));
  return heats;
}

}  // namespace xf
