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

Role known_role(const std::string& name, const std::string& part, LayerKind kind) {
  const Role role = state_dict_role(part, kind);
  if (role == Role::unknown)
    throw InternalError(name, "is neither weight, bias, running_mean nor running_var");
  return role;
}

/// Both matrices are walked in tiles of this side: each would else miss the cache on every element of one of
/// the two.
constexpr int64_t kTile = 32;

/// A matrix of `rows` rows, `from_pitch` elements apart, becomes one of as many columns, its rows `to_pitch`
/// apart.
void transpose(const float* from, int64_t rows, int64_t columns, int64_t from_pitch, float* to,
               int64_t to_pitch) {
  for (int64_t r0 = 0; r0 < rows; r0 += kTile) {
    for (int64_t c0 = 0; c0 < columns; c0 += kTile) {
      const int64_t r1 = std::min(rows, r0 + kTile), c1 = std::min(columns, c0 + kTile);
      for (int64_t c = c0; c < c1; ++c) {
        for (int64_t r = r0; r < r1; ++r) to[c * to_pitch + r] = from[r * from_pitch + c];
      }
    }
  }
}

int64_t of_one_output(const Shape& s) { return s.h * s.w * s.c; }

}  // namespace

std::string_view keras_name(Role role) {
  switch (role) {
    case Role::kernel: return "kernel";
    case Role::bias: return "bias";
    case Role::gamma: return "gamma";
    case Role::beta: return "beta";
    case Role::mean: return "moving_mean";
    case Role::variance: return "moving_variance";
    case Role::factor: return "factor";
    case Role::unknown: break;
  }
  return "?";
}

std::string_view state_dict_name(Role role) {
  switch (role) {
    case Role::kernel:
    case Role::gamma: return "weight";
    case Role::bias:
    case Role::beta: return "bias";
    case Role::mean: return "running_mean";
    case Role::variance: return "running_var";
    case Role::factor:
    case Role::unknown: break;
  }
  return "?";
}

Role state_dict_role(std::string_view part, LayerKind kind) {
  const bool norm = kind == LayerKind::batch_norm;
  if (part == "weight") return norm ? Role::gamma : Role::kernel;
  if (part == "bias") return norm ? Role::beta : Role::bias;
  if (part == "running_mean") return Role::mean;
  if (part == "running_var") return Role::variance;
  return Role::unknown;
}

bool is_dense(std::string_view layer) {
  return layer.starts_with("fc") || layer.starts_with("classifier.") || layer == "last_linear";
}

std::vector<Layer> layers_of(std::span<const NamedShape> tensors) {
  std::vector<Layer> layers;
  std::map<std::string, size_t> index;
  for (const NamedShape& t : tensors) {
    const SplitName name = split(t.name);
    const auto [at, added] = index.try_emplace(name.layer, layers.size());
    if (added) {
      layers.push_back({name.layer, is_dense(name.layer) ? LayerKind::dense : LayerKind::convolution, {}});
    }
    if (name.part == "running_mean") layers[at->second].kind = LayerKind::batch_norm;
  }
  for (size_t i = 0; i < tensors.size(); ++i) {
    const SplitName name = split(tensors[i].name);
    Layer& layer = layers[index.at(name.layer)];
    layer.parts.push_back({known_role(tensors[i].name, name.part, layer.kind), i});
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

std::vector<int64_t> outputs_first_dims(const NamedShape& tensor, LayerKind kind, Role role) {
  const Shape& s = tensor.shape;
  if (role != Role::kernel) return {s.c};
  if (kind == LayerKind::dense) return {s.n, of_one_output(s)};
  return {s.n, s.c, s.h, s.w};
}

void to_keras_order(std::span<const float> ours, const Shape& shape, std::span<float> out) {
  const int64_t inputs = of_one_output(shape);
  transpose(ours.data(), shape.n, inputs, inputs, out.data(), shape.n);
}

void to_outputs_first(std::span<const float> ours, const Shape& shape, std::span<float> out) {
  const int64_t inputs = of_one_output(shape), places = shape.h * shape.w;
  for (int64_t at = 0; at < shape.count(); at += inputs) {
    transpose(ours.data() + at, places, shape.c, shape.c, out.data() + at, places);
  }
}

void place_keras_rows(std::span<const float> stored, int64_t first, const Shape& shape,
                      std::span<float> out) {
  const int64_t rows = static_cast<int64_t>(stored.size()) / shape.n;
  transpose(stored.data(), rows, shape.n, shape.n, out.data() + first, of_one_output(shape));
}

void place_outputs(std::span<const float> stored, int64_t first, const Shape& shape, std::span<float> out) {
  const int64_t inputs = of_one_output(shape), places = shape.h * shape.w;
  const auto count = static_cast<int64_t>(stored.size());
  for (int64_t at = 0; at < count; at += inputs) {
    transpose(stored.data() + at, shape.c, places, places, out.data() + first * inputs + at, shape.c);
  }
}

}  // namespace xf::weights
