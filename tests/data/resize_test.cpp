#include "engine/data/resize.h"

#include <doctest/doctest.h>

#include <array>
#include <vector>

#include "engine/core/error.h"
#include "tests/data/files.h"

using namespace xf;

namespace {

/// Channel c of pixel (x, y) is (5 x² + 31 y + 71 c + 3 x y) mod 256.
io::Image pattern(int height, int width) {
  io::Image image{width, height, {}};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < 3; ++c)
        image.rgb.push_back(static_cast<uint8_t>(x * x * 5 + y * 31 + c * 71 + x * y * 3));
  return image;
}

struct Golden {
  ResizeRule rule;
  int in_height, in_width, height, width;
  std::vector<uint8_t> expected;
};

// pil: numpy.asarray(PIL.Image.fromarray(pattern).resize((width, height), PIL.Image.BILINEAR)), Pillow 13.0.
// tf: numpy.floor(tf.image.resize(pattern, (height, width)) + 0.5).
// clang-format off
const std::vector<Golden> kGolden = {
    {ResizeRule::pil_bilinear, 7, 9, 3, 4, {35, 106, 177, 79, 149, 156, 150, 162, 87, 129, 138, 130, 107, 175,
     152, 156, 154, 89, 114, 113, 129, 136, 133, 116, 179, 136, 65, 160, 90, 132, 129, 147, 136, 140, 122, 126}},
    {ResizeRule::tf_bilinear, 7, 9, 3, 4, {25, 96, 167, 68, 139, 210, 163, 212, 49, 106, 124, 131, 102, 173,
     244, 161, 232, 47, 15, 86, 157, 177, 152, 63, 178, 164, 64, 179, 68, 139, 123, 184, 159, 151, 115, 154}},
    {ResizeRule::pil_bilinear, 4, 5, 6, 7, {0, 71, 142, 3, 74, 145, 9, 80, 151, 20, 91, 162, 38, 109, 180, 60,
     131, 202, 80, 151, 222, 16, 87, 158, 20, 91, 162, 27, 98, 169, 39, 110, 181, 58, 129, 200, 81, 152, 168,
     102, 173, 116, 36, 107, 178, 41, 112, 183, 50, 121, 192, 63, 134, 205, 84, 155, 195, 108, 179, 116, 130,
     201, 16, 57, 128, 199, 63, 134, 205, 73, 144, 215, 88, 159, 230, 109, 180, 99, 136, 207, 47, 159, 230, 45,
     78, 149, 220, 85, 156, 227, 97, 168, 202, 113, 184, 127, 136, 207, 58, 164, 180, 50, 188, 131, 74, 93, 164,
     235, 101, 172, 243, 114, 185, 183, 131, 202, 17, 155, 226, 41, 184, 145, 70, 209, 24, 95}},
    {ResizeRule::tf_bilinear, 4, 5, 6, 7, {0, 71, 142, 3, 74, 145, 9, 80, 151, 20, 91, 162, 38, 109, 180, 60,
     131, 202, 80, 151, 222, 16, 87, 158, 19, 90, 161, 27, 98, 169, 39, 110, 181, 57, 128, 199, 81, 152, 168,
     102, 173, 116, 36, 107, 178, 41, 112, 183, 50, 121, 192, 63, 134, 205, 84, 155, 195, 108, 179, 116, 130,
     201, 16, 57, 128, 199, 63, 134, 205, 73, 144, 215, 88, 159, 230, 110, 181, 99, 136, 207, 46, 159, 230, 45,
     78, 149, 220, 85, 156, 227, 96, 167, 202, 113, 184, 127, 136, 207, 58, 163, 179, 49, 188, 131, 74, 93, 164,
     235, 101, 172, 243, 114, 185, 183, 131, 202, 17, 155, 226, 41, 184, 145, 70, 209, 24, 95}},
    {ResizeRule::pil_bilinear, 5, 11, 5, 3, {21, 92, 163, 124, 164, 116, 165, 141, 117, 57, 128, 177, 139, 160,
     99, 126, 102, 107, 93, 164, 169, 135, 137, 114, 87, 158, 163, 129, 178, 139, 112, 120, 117, 143, 148, 124,
     165, 170, 51, 145, 104, 113, 133, 109, 85}},
    {ResizeRule::tf_bilinear, 5, 11, 5, 3, {10, 81, 152, 125, 196, 11, 121, 192, 92, 45, 116, 187, 171, 242,
     57, 178, 78, 64, 80, 151, 222, 217, 32, 103, 64, 135, 121, 115, 186, 172, 7, 78, 149, 121, 107, 178, 150,
     221, 36, 53, 124, 195, 93, 164, 64}},
    {ResizeRule::pil_bilinear, 1, 1, 2, 3, {0, 71, 142, 0, 71, 142, 0, 71, 142, 0, 71, 142, 0, 71, 142, 0, 71,
     142}},
    {ResizeRule::tf_bilinear, 1, 1, 2, 3, {0, 71, 142, 0, 71, 142, 0, 71, 142, 0, 71, 142, 0, 71, 142, 0, 71,
     142}},
    {ResizeRule::pil_bilinear, 17, 40, 2, 2, {131, 131, 128, 130, 128, 122, 125, 127, 127, 127, 123, 128}},
    {ResizeRule::tf_bilinear, 17, 40, 2, 2, {164, 139, 82, 129, 136, 111, 125, 100, 139, 152, 95, 166}},
};
// clang-format on

}  // namespace

TEST_CASE("resizing gives the bytes of PIL and of TensorFlow") {
  for (const Golden& g : kGolden) {
    CAPTURE(name(g.rule));
    CAPTURE(g.in_height);
    std::vector<uint8_t> out(g.expected.size());
    resize(pattern(g.in_height, g.in_width), g.rule, g.height, g.width, out);
    CHECK(out == g.expected);
  }
}

TEST_CASE("one colour stays that colour at any size") {
  for (const ResizeRule rule : {ResizeRule::tf_bilinear, ResizeRule::pil_bilinear})
    for (const int side : {1, 2, 7, 64}) {
      std::vector<uint8_t> out(static_cast<size_t>(side) * 5 * 3);
      resize(test::plain_image(13, 8, 255, 128, 1), rule, side, 5, out);
      for (size_t i = 0; i < out.size(); ++i) REQUIRE(out[i] == std::array{255, 128, 1}[i % 3]);
    }
}

TEST_CASE("the same size is a copy, no size is refused") {
  const io::Image image = pattern(6, 5);
  std::vector<uint8_t> out(image.rgb.size());
  resize(image, ResizeRule::pil_bilinear, 6, 5, out);
  CHECK(out == image.rgb);
  CHECK_THROWS_AS(resize(image, ResizeRule::tf_bilinear, 0, 5, {}), UsageError);
  CHECK_THROWS_AS(resize(image, ResizeRule::tf_bilinear, 6, 5, std::span(out).first(3)), InternalError);
}
