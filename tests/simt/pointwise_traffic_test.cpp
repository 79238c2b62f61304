// Memory traffic (stated_traffic.h) of what treats each number alone: normalisation of images, casts,
// activations, sums, copies of channels, dropout.

#include <doctest/doctest.h>

#include <array>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "engine/graph/ops.h"
#include "kernels/cuda/cast.h"
#include "kernels/cuda/channels.h"
#include "kernels/cuda/dropout.h"
#include "kernels/cuda/normalize.h"
#include "kernels/cuda/pointwise.h"
#include "kernels/cuda/widen.h"
#include "tests/simt/stated_traffic.h"

namespace xf::test {
namespace {

using cuda::Extent;
using cuda::RowsIn;
using cuda::RowsOut;

constexpr Extent kImage{2 * 28 * 28, 128};
constexpr size_t image_bytes(DType dtype) { return bytes_of(kImage.rows * kImage.columns, dtype); }

Family normalize(const char* name, DType to, int channels) {
  constexpr int64_t kPixels = 2 * 224 * 224;
  return {named(name, to),
          {{"x", kPixels * 3, 1, 0}, {"y", bytes_of(kPixels * channels, to), 0, 1}},
          0,
          [=](Memory& m) {
            Normalize op;
            op.channels = channels;
            op.to = to;
            REQUIRE(cuda::normalize({kPixels, 3, DType::u8, m("x"), m("y")}, op, nullptr) == 0);
          }};
}

Family cast(const char* name, DType from, DType to) {
  return {name, {{"x", image_bytes(from), 1, 0}, {"y", image_bytes(to), 0, 1}}, 0, [=](Memory& m) {
            const RowsIn x{m("x"), kImage.columns};
            const RowsOut y{m("y"), kImage.columns};
            REQUIRE(cuda::cast(kImage, from, x, to, y, nullptr) == 0);
          }};
}

// Of operands that are images: `inputs` of them, and a result "out".
using Images = std::vector<RowsIn>;
Family pointwise(const char* name, DType dtype, int inputs,
                 std::function<int(Memory&, const Images&, RowsOut)> launch) {
  Family family{named(name, dtype), {}, 0, {}};
  for (int i = 0; i < inputs; ++i)
    family.tensors.push_back({"in" + std::to_string(i), image_bytes(dtype), 1, 0});
  family.tensors.push_back({"out", image_bytes(dtype), 0, 1});
  family.run = [inputs, launch = std::move(launch)](Memory& m) {
    Images images;
    for (int i = 0; i < inputs; ++i) images.push_back({m("in" + std::to_string(i)), kImage.columns});
    REQUIRE(launch(m, images, {m("out"), kImage.columns}) == 0);
  };
  return family;
}

Family relu(DType dtype) {
  return pointwise("act", dtype, 1, [=](Memory& /*m*/, const Images& in, RowsOut out) {
    return cuda::relu(kImage, dtype, in[0], out, nullptr);
  });
}

Family relu_bwd(DType dtype) {
  return pointwise("act_bwd", dtype, 2, [=](Memory& /*m*/, const Images& in, RowsOut out) {
    return cuda::relu_bwd(kImage, dtype, in[0], in[1], out, nullptr);
  });
}

// Of a bias, which a thread asks for with every vector of its channels. Eight of them, beside 16 bits each,
// come in two accesses of 16 bytes, each of which touches one half of 32 sectors.
Tensor bias(int64_t rows, int64_t channels, int side_by_side) {
  return {"bias", bytes_of(channels, DType::f32), 1,
          0,      static_cast<double>(rows),      side_by_side == 4 ? kFull : 0};
}

Family add_bias(DType dtype) {
  auto family = pointwise("bias", dtype, 1, [=](Memory& m, const Images& in, RowsOut out) {
    return cuda::add_bias(kImage, dtype, in[0], m.tensor("bias"), out, nullptr);
  });
  family.tensors.push_back(bias(kImage.rows, kImage.columns, dtype == DType::f32 ? 4 : 8));
  return family;
}

Family add(DType dtype) {
  return pointwise("add of three", dtype, 3, [=](Memory& /*m*/, const Images& in, RowsOut out) {
    return cuda::add(kImage, dtype, in, out, nullptr);
  });
}

// Two branches of an Inception block, and the tensor that they are slices of.
constexpr int64_t kPixels = 2 * 28 * 28;
constexpr std::array<int64_t, 2> kBranches{64, 128};
constexpr int64_t kWhole = kBranches[0] + kBranches[1];

Family concat(DType dtype) {
  const size_t element = size_of(dtype);
  return {
      named("concat", dtype),
      {{"a", bytes_of(kPixels * kBranches[0], dtype), 1, 0},
       {"b", bytes_of(kPixels * kBranches[1], dtype), 1, 0},
       {"whole", bytes_of(kPixels * kWhole, dtype), 0, 1}},
      0,
      [=](Memory& m) {
        auto* to = static_cast<uint8_t*>(m("whole"));
        for (const auto& [name, channels] : {std::pair("a", kBranches[0]), std::pair("b", kBranches[1])}) {
          const RowsIn x{m(name), channels};
          REQUIRE(cuda::copy_channels({kPixels, channels}, element, x, {to, kWhole}, nullptr) == 0);
          to += static_cast<size_t>(channels) * element;
        }
      }};
}

Family slice(DType dtype) {
  const size_t element = size_of(dtype);
  return {
      named("slice", dtype),
      {{"a", bytes_of(kPixels * kBranches[0], dtype), 0, 1},
       {"b", bytes_of(kPixels * kBranches[1], dtype), 0, 1},
       {"whole", bytes_of(kPixels * kWhole, dtype), 1, 0}},
      0,
      [=](Memory& m) {
        const auto* from = static_cast<const uint8_t*>(m("whole"));
        for (const auto& [name, channels] : {std::pair("a", kBranches[0]), std::pair("b", kBranches[1])}) {
          const RowsOut y{m(name), channels};
          REQUIRE(cuda::copy_channels({kPixels, channels}, element, {from, kWhole}, y, nullptr) == 0);
          from += static_cast<size_t>(channels) * element;
        }
      }};
}

// In front of a classifier.
constexpr int64_t kImages = 32, kFeatures = 4096;
constexpr size_t feature_bytes(DType dtype) { return bytes_of(kImages * kFeatures, dtype); }

Family dropout(DType dtype) {
  return {named("dropout", dtype),
          {{"x", feature_bytes(dtype), 1, 0}, {"y", feature_bytes(dtype), 0, 1}},
          0,
          [=](Memory& m) {
            const cuda::DropoutTensors t{
                kImages * kFeatures, dtype, m.holding(StepParams{}), m("x"), m("y"), kFeatures};
            REQUIRE(cuda::dropout(t, Dropout{}, nullptr) == 0);
          }};
}

Family widen(DType dtype) {
  return {named("widen", dtype),
          {{"from", feature_bytes(dtype), 1, 0}, {"to", feature_bytes(DType::f32), 0, 1}},
          0,
          [=](Memory& m) {
            REQUIRE(cuda::widen(m("from"), dtype, m.tensor("to"), kImages * kFeatures, nullptr) == 0);
          }};
}

Family narrow(DType dtype) {
  return {named("narrow", dtype),
          {{"from", feature_bytes(DType::f32), 1, 0},
           bias(kImages, kFeatures, 4),
           {"to", feature_bytes(dtype), 0, 1}},
          0,
          [=](Memory& m) {
            const cuda::Narrowing n{m.tensor("from"), m.tensor("bias"), m("to"),         dtype,
                                    kImages,          kFeatures,        Activation::relu};
            REQUIRE(cuda::narrow(n, nullptr) == 0);
          }};
}

std::vector<Family> families() {
  std::vector<Family> all = {
      normalize("normalize, u8 RGB", DType::bf16, 3),
      normalize("normalize, u8 RGB padded to 8 channels", DType::f32, 8),
      normalize("normalize, u8 RGB padded to 8 channels", DType::bf16, 8),
      cast("cast of f32 to bf16", DType::f32, DType::bf16),
      cast("cast of bf16 to f32", DType::bf16, DType::f32),
      widen(DType::bf16),
      narrow(DType::bf16),
  };
  for (const DType dtype : {DType::f32, DType::bf16}) {
    all.push_back(relu(dtype));
    all.push_back(relu_bwd(dtype));
    all.push_back(add_bias(dtype));
    all.push_back(add(dtype));
    all.push_back(concat(dtype));
    all.push_back(slice(dtype));
    all.push_back(dropout(dtype));
  }
  return all;
}

TEST_CASE("traffic: kernels that treat each number alone touch what they state, in whole sectors") {
  check_traffic(families());
}

}  // namespace
}  // namespace xf::test
