#pragma once
// Weights and images that a formula makes: tests/parity/goldens/make.py gives them to the frameworks whose
// outputs are kept in goldens.h5.

#include <cmath>
#include <string>
#include <string_view>

#include "engine/core/tensor.h"
#include "engine/core/threads.h"

namespace xf::test {

/// Numbers from -1 to 1, exact in f32: a hash of the name and each element's index.
inline Tensor noise(std::string_view name, const Shape& shape) {
  uint32_t seed = 2166136261U;  // FNV-1a
  for (const char letter : name) seed = (seed ^ static_cast<uint8_t>(letter)) * 16777619U;
  Tensor t(shape);
  float* const values = t.as<float>().data();
  constexpr int64_t kChunk = 1 << 16;
  const int64_t count = shape.count();
  parallel_for((count + kChunk - 1) / kChunk, [&](int64_t chunk) {
    for (int64_t i = chunk * kChunk; i < std::min(count, (chunk + 1) * kChunk); ++i) {
      uint32_t h = static_cast<uint32_t>(i) * 0x9E3779B1U + seed;  // MurmurHash3's final mix
      h = (h ^ (h >> 15U)) * 0x85EBCA77U;
      h = (h ^ (h >> 13U)) * 0xC2B2AE3DU;
      h ^= h >> 16U;
      values[i] = static_cast<float>(h >> 8U) * 0x1p-23F - 1;
    }
  });
  return t;
}

/// The tensor of a canonical name and shape. Their sizes keep a network's activations near 1.
inline Tensor formula_weights(const std::string& name, const Shape& shape) {
  const auto part = std::string_view(name).substr(name.rfind('.') + 1);
  const bool kernel = shape.n > 1;
  float scale = 0.25F, shift = 0;  // of a running mean
  if (part == "running_var") {
    scale = 0.5F;
    shift = 1;
  } else if (part == "bias") {
    scale = 0.125F;
  } else if (part == "weight" && kernel) {  // He et al. 2015, uniform
    scale = static_cast<float>(std::sqrt(6.0 / static_cast<double>(shape.h * shape.w * shape.c)));
  } else if (part ==
             "weight") {  // a batch normalisation's; smaller in residual networks, whose blocks add up
    const float size = name.starts_with("layer") ? 0.5F : 1.0F;
    scale = 0.25F * size;
    shift = size;
  }
  Tensor t = noise(name, shape);
  for (float& x : t.as<float>()) x = x * scale + shift;
  return t;
}

}  // namespace xf::test
