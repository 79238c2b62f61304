// conv2d, conv2d_bwd_data and conv2d_bwd_weights over one list of geometries; their packed weights with them.

#include <fmt/format.h>

#include "tests/ops/cases/cases.h"

namespace xf::test {
namespace {

struct Geometry {
  const char* name;
  Shape x;
  int64_t outputs;
  Conv2d conv;
};

Conv2d window(int kh, int kw, int sh, int sw, Padding pad) { return {kh, kw, sh, sw, pad, Activation::none}; }

std::vector<Geometry> windows() {
  return {
      {"1x1", {2, 7, 7, 64}, 32, window(1, 1, 1, 1, {})},
      {"1x1 stride 2", {2, 8, 7, 33}, 64, window(1, 1, 2, 2, {})},
      {"3x3 valid", {2, 9, 8, 32}, 32, window(3, 3, 1, 1, {})},
      {"3x3 stride 2 valid", {2, 9, 10, 32}, 48, window(3, 3, 2, 2, {})},
      {"3x3 stride 2 padded below and right", {2, 8, 8, 16}, 16, window(3, 3, 2, 2, {0, 1, 0, 1})},
      {"3x3 stride 2 padded around", {2, 14, 14, 64}, 64, window(3, 3, 2, 2, {1, 1, 1, 1})},
      {"3x3 stride 3", {1, 11, 10, 8}, 5, window(3, 3, 3, 3, {1, 0, 0, 1})},
      {"3x3 stride 2 by 1", {2, 9, 7, 17}, 8, window(3, 3, 2, 1, {1, 1, 1, 1})},
      {"2x2 stride 2 leaving a row", {2, 7, 9, 8}, 8, window(2, 2, 2, 2, {})},
      {"1x1 stride 3", {2, 8, 10, 16}, 16, window(1, 1, 3, 3, {})},
      {"1x7", {2, 9, 9, 48}, 40, window(1, 7, 1, 1, {0, 0, 3, 3})},
      {"7x1", {2, 9, 9, 48}, 40, window(7, 1, 1, 1, {3, 3, 0, 0})},
      {"1x3", {1, 8, 8, 64}, 33, window(1, 3, 1, 1, {0, 0, 1, 1})},
      {"3x1", {1, 8, 8, 33}, 64, window(3, 1, 1, 1, {1, 1, 0, 0})},
      {"5x5", {2, 9, 9, 48}, 64, window(5, 5, 1, 1, {2, 2, 2, 2})},
      {"7x7 stride 2 of an image", {1, 23, 22, 3}, 64, window(7, 7, 2, 2, {3, 3, 3, 3})},
      {"3x3 stride 2 of an image", {2, 13, 13, 3}, 32, window(3, 3, 2, 2, {})},
      {"3x3 of an image of four channels", {2, 8, 9, 4}, 16, window(3, 3, 1, 1, {1, 1, 1, 1})},
      {"padded more on one side", {2, 6, 7, 16}, 16, window(4, 3, 1, 1, {2, 1, 0, 2})},
      {"window as large as the map", {2, 4, 4, 32}, 16, window(4, 4, 1, 1, {})},
      {"one position", {1, 1, 1, 17}, 10, window(1, 1, 1, 1, {})},
      {"3x3 over one position", {2, 1, 1, 16}, 16, window(3, 3, 1, 1, {1, 1, 1, 1})},
      {"3x3 with fewer positions than a tile", {2, 3, 2, 16}, 32, window(3, 3, 1, 1, {1, 1, 1, 1})},
      {"3x3 with one position more than a tile", {2, 5, 5, 48}, 16, window(3, 3, 1, 1, {1, 1, 1, 1})},
      {"3x3 valid on one position", {3, 3, 3, 16}, 16, window(3, 3, 1, 1, {})},
      {"3x3 padded on one side", {1, 7, 4, 16}, 48, window(3, 3, 1, 1, {0, 1, 2, 0})},
      {"3x3 padded by two", {1, 6, 7, 32}, 16, window(3, 3, 1, 1, {2, 2, 2, 2})},
      {"batch of 5", {5, 5, 5, 24}, 24, window(3, 3, 1, 1, {1, 1, 1, 1})},
  };
}

std::vector<Geometry> geometries() {
  std::vector<Geometry> all = windows();
  for (const int64_t c : kChannels) {
    all.push_back({"3x3 padded", {2, 6, 5, c}, c, window(3, 3, 1, 1, {1, 1, 1, 1})});
    all.push_back({"1x1, batch 1", {1, 5, 7, c}, 101 - c, window(1, 1, 1, 1, {})});
  }
  return all;
}

Shape output(const Geometry& g) {
  const Conv2d& c = g.conv;
  return {g.x.n, (g.x.h + c.pad.top + c.pad.bottom - c.kernel_h) / c.stride_h + 1,
          (g.x.w + c.pad.left + c.pad.right - c.kernel_w) / c.stride_w + 1, g.outputs};
}

// Numbers that no type rounds: a device may take the bias in the type of the activations.
Operand bias(int64_t channels) {
  return per_channel(channels,
                     [](int64_t, Rng& rng) { return static_cast<double>(rng.below(257)) / 64 - 2; });
}

Shape weight_shape(const Geometry& g) { return {g.outputs, g.conv.kernel_h, g.conv.kernel_w, g.x.c}; }

std::string text(const Geometry& g) { return fmt::format("{}, {} to {}", g.name, to_string(g.x), g.outputs); }

OpCase forward(const Geometry& g, const char* with, Activation act, Operand bias_operand, Operand residual) {
  Conv2d op = g.conv;
  op.act = act;
  return {text(g) + with,
          op,
          {activation(g.x), weights(weight_shape(g)), std::move(bias_operand), std::move(residual)}};
}

}  // namespace

std::vector<OpCase> conv_cases() {
  std::vector<OpCase> cases;
  const std::vector<Geometry> all = geometries();
  for (const Geometry& g : all) {
    cases.push_back(forward(g, "", Activation::none, absent(), absent()));
    cases.push_back(forward(g, ", bias, relu", Activation::relu, bias(g.outputs), absent()));
    cases.push_back({text(g), ConvBwdData{g.conv, g.x}, {activation(output(g)), weights(weight_shape(g))}});
    cases.push_back(
        {text(g), ConvBwdWeights{g.conv, weight_shape(g)}, {activation(g.x), activation(output(g))}});
  }
  for (Geometry g : windows()) {  // over few channels
    g.x.c = 2;
    g.outputs = 3;
    const Operand residual = activation(output(g));
    cases.push_back(with_gradients(forward(g, ", bias, residual, relu", Activation::relu, bias(3), residual),
                                   {0, 1, 2, 3}));
    cases.push_back(with_gradients(forward(g, "", Activation::none, absent(), absent()), {0, 1}));
  }
  for (const size_t i : {0U, 2U, 3U, 7U, 10U}) {
    const Geometry& g = all[i];
    const Operand residual = activation(output(g));
    cases.push_back(forward(g, ", relu", Activation::relu, absent(), absent()));
    cases.push_back(forward(g, ", bias", Activation::none, bias(g.outputs), absent()));
    cases.push_back(forward(g, ", residual", Activation::none, absent(), residual));
    cases.push_back(forward(g, ", residual, relu", Activation::relu, absent(), residual));
    cases.push_back(forward(g, ", bias, residual, relu", Activation::relu, bias(g.outputs), residual));
  }
  OpCase short_list = forward(all[0], ", optional operands left off", Activation::none, absent(), absent());
  short_list.in.resize(2);
  cases.push_back(short_list);
  return in_each_type(cases);
}

}  // namespace xf::test
