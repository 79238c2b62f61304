#include "engine/data/preprocess.h"

#include <doctest/doctest.h>

#include <array>
#include <vector>

#include "engine/core/error.h"

using namespace xf;

TEST_CASE("each mode maps bytes as Keras's preprocess_input does") {
  constexpr std::array<int, 3> rgb = {200, 100, 50};
  const auto apply = [&](Preprocess mode) {
    const Normalization n = normalization(mode);
    std::array<double, 3> y{};
    for (int c = 0; c < 3; ++c) {
      const auto i = static_cast<size_t>(c);
      y[i] = static_cast<double>(static_cast<float>(rgb[static_cast<size_t>(n.source(c))]) * n.scale[i] +
                                 n.shift[i]);
    }
    return y;
  };
  // Expected values in double; f32 arithmetic is off by a few units in the last place of the largest term.
  const auto check = [&](Preprocess mode, std::array<double, 3> expected, double largest) {
    const auto y = apply(mode);
    for (size_t c = 0; c < 3; ++c) CHECK(std::abs(y[c] - expected[c]) <= 4 * largest * 0x1p-24);
  };
  check(Preprocess::unit, {200 / 255.0, 100 / 255.0, 50 / 255.0}, 1);
  check(Preprocess::tf, {200 / 127.5 - 1, 100 / 127.5 - 1, 50 / 127.5 - 1}, 2);
  check(Preprocess::caffe, {50 - 103.939, 100 - 116.779, 200 - 123.68}, 200);
  check(Preprocess::bn_inception, {50 - 104, 100 - 117, 200 - 128}, 200);
  check(Preprocess::torch,
        {(200 / 255.0 - 0.485) / 0.229, (100 / 255.0 - 0.456) / 0.224, (50 / 255.0 - 0.406) / 0.225}, 4);
}

TEST_CASE("grey is the luminance, and grey stays as it is") {
  std::vector<uint8_t> rgb{200, 100, 50, 255, 0, 0, 0, 255, 0, 0, 0, 255};
  std::vector<uint8_t> grey(4);
  to_grey(rgb, grey);
  CHECK(grey == std::vector<uint8_t>{118, 54, 182, 18});  // 117.645, 54.1875, 182.427, 18.3855
  for (int level = 0; level < 256; ++level) {
    const std::vector<uint8_t> pixel(3, static_cast<uint8_t>(level));
    std::vector<uint8_t> same(1);
    to_grey(pixel, same);
    CHECK(same[0] == level);
  }
  CHECK(suits_grey(Preprocess::unit));
  CHECK_FALSE(suits_grey(Preprocess::torch));
}

TEST_CASE("names go both ways, and a wrong one lists the valid ones") {
  for (const Preprocess mode :
       {Preprocess::tf, Preprocess::caffe, Preprocess::torch, Preprocess::unit, Preprocess::bn_inception})
    CHECK(parse_preprocess(name(mode)) == mode);
  for (const ResizeRule rule : {ResizeRule::tf_bilinear, ResizeRule::pil_bilinear})
    CHECK(parse_resize_rule(name(rule)) == rule);
  try {
    (void)parse_preprocess("keras");
    FAIL("accepted");
  } catch (const UsageError& e) {
    CHECK(std::string(e.what()).find("--preprocess") == 0);
    CHECK(e.remedy().find("tf, caffe, torch, unit") != std::string::npos);
  }
  CHECK_THROWS_AS((void)parse_resize_rule(""), UsageError);
}
