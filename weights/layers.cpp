#include "weights/layers.h"

#include <algorithm>
#include <map>
#include <utility>

#include "engine/core/error.h"

namespace xf::weights {
namespace {

struct SplitName {
  std::string layer, part;
};

SplitName split(const std::string& name) {
  const size_t dot = name.rfind('.');
  if (dot == std::string::npos) throw InternalError(name, "has no layer");
  return {name.substr(0, dot), name.substr(dot + 1)};
}

Role role_of(const std::string& name, const std::string& part, LayerKind kind) {
  const bool norm = kind == LayerKind::batch_norm;
  if (part == "weight") return norm ? Role::gamma : Role::kernel;
  if (part == "bias") return norm ? Role::beta : Role::bias;
  if (part == "running_mean") return Role::mean;
  if (part == "running_var") return Role::variance;
  throw InternalError(name, "is neither weight, bias, running_mean nor running_var");
}

/// `columns` long rows become `rows` long columns. Both matrices are walked in small tiles: each would else
/// miss the cache on every element of one of the two.
void transpose(const float* from, int64_t rows, int64_t columns, float* to) {
  constexpr int64_t kTile = 32;
  for (int64_t r0 = 0; r0 < rows; r0 += kTile) {
    for (int64_t c0 = 0; c0 < columns; c0 += kTile) {
      const int64_t r1 = std::min(rows, r0 + kTile), c1 = std::min(columns, c0 + kTile);
      for (int64_t c = c0; c < c1; ++c) {
        for (int64_t r = r0; r < r1; ++r) to[c * rows + r] = from[r * columns + c];
      }
    }
  }
}

}  // namespace

std::string_view keras_name(Role role) {
  switch (role) {
    case Role::kernel: return "kernel";
    case Role::bias: return "bias";
    case Role::gamma: return "gamma";
    case Role::beta: return "beta";
    case Role::mean: return "moving_mean";
    case Role::variance: return "moving_variance";
    case Role::unknown: break;
  }
  return "?";
}

std::vector<Layer> layers_of(std::span<const NamedShape> tensors) {
  std::vector<Layer> layers;
  std::map<std::string, size_t> index;
  for (const NamedShape& t : tensors) {
    const SplitName name = split(t.name);
    const auto [at, added] = index.try_emplace(name.layer, layers.size());
    if (added) {
      layers.push_back({name.layer, name.layer == kTop ? LayerKind::dense : LayerKind::convolution, {}});
    }
    if (name.part == "running_mean") layers[at->second].kind = LayerKind::batch_norm;
  }
  for (size_t i = 0; i < tensors.size(); ++i) {
    const SplitName name = split(tensors[i].name);
    Layer& layer = layers[index.at(name.layer)];
    layer.parts.push_back({role_of(tensors[i].name, name.part, layer.kind), i});
  }
  for (Layer& layer : layers) {
    std::sort(layer.parts.begin(), layer.parts.end(),
              [](const Part& a, const Part& b) { return a.role < b.role; });
  }
  return layers;
}

std::vector<int64_t> keras_dims(const NamedShape& tensor, LayerKind kind, Role role) {
  const Shape& s = tensor.shape;
  if (role != Role::kernel) return {s.c};
  if (kind == LayerKind::dense) return {s.h * s.w * s.c, s.n};
  return {s.h, s.w, s.c, s.n};
}

void from_keras_order(std::span<const float> stored, const Shape& shape, std::span<float> out) {
  transpose(stored.data(), shape.h * shape.w * shape.c, shape.n, out.data());
}

void to_keras_order(std::span<const float> ours, const Shape& shape, std::span<float> out) {
  transpose(ours.data(), shape.n, shape.h * shape.w * shape.c, out.data());
}

}  // namespace xf::weights
