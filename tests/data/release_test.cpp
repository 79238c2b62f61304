#include "engine/data/release.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "engine/core/rng.h"
#include "engine/data/dataset.h"
#include "engine/data/pixels.h"
#include "tests/data/files.h"

using namespace xf;

namespace {

/// A plot whose pixels all differ; its frame is white.
io::Image plot() {
  io::Image image = test::plain_image(800, 600, 255, 255, 255);
  Rng rng(1);
  for (size_t y = 66; y < 532; ++y)
    for (size_t x = 105; x < 671; ++x)
      for (size_t c = 0; c < 3; ++c) image.rgb[3 * (800 * y + x) + c] = static_cast<uint8_t>(rng.below(250));
  return image;
}

double grey_at(const io::Image& image, int x, int y) {
  const uint8_t* p = &image.rgb[3 * (800 * static_cast<size_t>(66 + y) + static_cast<size_t>(105 + x))];
  return 0.2125 * p[0] + 0.7154 * p[1] + 0.0721 * p[2];
}

/// Grey, and then between the four nearest pixels of the plot area, in f64.
double expected(const io::Image& image, int x, int y) {
  const double across = (x + 0.5) * 566 / 170 - 0.5, down = (y + 0.5) * 466 / 140 - 0.5;
  const int left = static_cast<int>(across), top = static_cast<int>(down);
  const double u = across - left, v = down - top;
  const int right = std::min(left + 1, 565), bottom = std::min(top + 1, 465);
  return (1 - v) * ((1 - u) * grey_at(image, left, top) + u * grey_at(image, right, top)) +
         v * ((1 - u) * grey_at(image, left, bottom) + u * grey_at(image, right, bottom));
}

}  // namespace

TEST_CASE("names of the PNG release") {
  CHECK(release_id("H1_0Sug0tqkoL_spectrogram_0.5.png") == "0Sug0tqkoL");
  CHECK(release_id("train/Blip/L1_a_b_spectrogram_4.0.png") == "a_b");
  for (const char* name :
       {"H1_x_spectrogram_0.5.jpg", "H1_x_spectrogram_3.0.png", "H1__spectrogram_0.5.png",
        "H1_spectrogram_0.5.png", "x_spectrogram_0.5.png", "h1_x_spectrogram_0.5.png", "H1_x_0.5.png"})
    CHECK(!release_id(name));
}

TEST_CASE("of a plot of the release the plot area is taken, in a view as the HDF5 release has it") {
  const test::TemporaryFolder folder;
  const io::Image whole = plot();
  test::put(folder, "Blip/H1_abc_spectrogram_1.0.png", io::encode_png(whole));
  test::put(folder, "Blip/L1_cut_spectrogram_1.0.png", io::encode_png(test::plain_image(40, 30, 1, 2, 3)));
  test::put(folder, "Blip/z_1.0.png", io::encode_png(whole));

  const Dataset plain = open_dataset(folder.path());
  const io::Image area = read_image(plain.samples[0]);
  CHECK(area.width == 566);
  CHECK(area.height == 466);
  for (const auto& [x, y] : {std::pair{0, 0}, {565, 465}, {100, 7}})
    for (size_t c = 0; c < 3; ++c)
      CHECK(area.rgb[3 * (566 * static_cast<size_t>(y) + static_cast<size_t>(x)) + c] ==
            whole.rgb[3 * (800 * static_cast<size_t>(66 + y) + static_cast<size_t>(105 + x)) + c]);
  CHECK(read_image(plain.samples[1]).width == 40);   // somebody cut it already
  CHECK(read_image(plain.samples[2]).width == 800);  // some other picture of that size

  const Dataset single = open_dataset(folder.path(), {.view = parse_view("single:1.0")});
  const io::Image small = read_image(single.samples[0]);
  REQUIRE(small.width == 170);
  REQUIRE(small.height == 140);
  // The colours are rounded once, half a byte each, and so is their weighted mean.
  for (int y = 0; y < 140; ++y)
    for (int x = 0; x < 170; ++x) {
      const size_t at = 3 * (170 * static_cast<size_t>(y) + static_cast<size_t>(x));
      REQUIRE(std::abs(small.rgb[at] - expected(whole, x, y)) <= 1.001);
      REQUIRE(small.rgb[at + 1] == small.rgb[at]);
      REQUIRE(small.rgb[at + 2] == small.rgb[at]);
    }
}
