#include "engine/io/image.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <string>

#include "engine/core/error.h"
#include "tests/data/files.h"
#include "tests/io/image_bytes.h"
#include "tests/support/test_data.h"

using namespace xf;
using namespace xf::test;
using Bytes = std::vector<uint8_t>;

namespace {

std::array<int, 3> pixel(const io::Image& image, int x, int y) {
  const size_t at = static_cast<size_t>(y * image.width + x) * 3;
  return {image.rgb.at(at), image.rgb.at(at + 1), image.rgb.at(at + 2)};
}

/// The reason for which the bytes are refused, which names them.
std::string refusal(const Bytes& bytes) {
  try {
    (void)io::decode_image(bytes, "spectrogram.png");
  } catch (const DataError& e) {
    const std::string text = e.what();
    CHECK(text.rfind("spectrogram.png: ", 0) == 0);
    CHECK(!e.remedy().empty());
    return text.substr(17);
  }
  return "";
}

using Rgb = std::array<int, 3>;

}  // namespace

TEST_CASE("every kind of PNG becomes 8-bit RGB") {
  // Two pixels, one row: a filter byte of 0, then the samples.
  const auto decode = [](PngColor color, int depth, const Bytes& row, const Bytes& palette = {}) {
    return io::decode_image(
        png_bytes({.width = 2, .height = 1, .depth = depth, .color = color}, row, palette), "x.png");
  };
  const io::Image grey = decode(PngColor::grey, 8, {0, 10, 250});
  CHECK(grey.width == 2);
  CHECK(grey.height == 1);
  CHECK(pixel(grey, 0, 0) == Rgb{10, 10, 10});
  CHECK(pixel(grey, 1, 0) == Rgb{250, 250, 250});
  CHECK(pixel(decode(PngColor::grey, 1, {0, 0x40}), 1, 0) == Rgb{255, 255, 255});
  CHECK(pixel(decode(PngColor::grey, 4, {0, 0x3C}), 0, 0) == Rgb{51, 51, 51});
  CHECK(pixel(decode(PngColor::grey, 16, {0, 0x12, 0xFF, 0xAB, 0x00}), 0, 0) == Rgb{0x12, 0x12, 0x12});
  CHECK(pixel(decode(PngColor::grey_alpha, 8, {0, 7, 0, 9, 255}), 0, 0) == Rgb{7, 7, 7});
  CHECK(pixel(decode(PngColor::rgb, 8, {0, 1, 2, 3, 4, 5, 6}), 1, 0) == Rgb{4, 5, 6});
  CHECK(pixel(decode(PngColor::rgb, 16, {0, 1, 99, 2, 99, 3, 99, 4, 99, 5, 99, 6, 99}), 1, 0) ==
        Rgb{4, 5, 6});
  // A transparent pixel shows its stored colour.
  CHECK(pixel(decode(PngColor::rgba, 8, {0, 1, 2, 3, 0, 4, 5, 6, 255}), 0, 0) == Rgb{1, 2, 3});
  CHECK(pixel(decode(PngColor::rgba, 16, {0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8, 0}), 1, 0) ==
        Rgb{5, 6, 7});
  CHECK(pixel(decode(PngColor::palette, 8, {0, 1, 0}, {10, 20, 30, 40, 50, 60}), 0, 0) == Rgb{40, 50, 60});
  CHECK(pixel(decode(PngColor::palette, 2, {0, 0x10}, {10, 20, 30, 40, 50, 60}), 1, 0) == Rgb{40, 50, 60});
}

TEST_CASE("one pixel, and a PNG of our own writing") {
  const io::Image dot = plain_image(1, 1, 9, 8, 7);
  CHECK(io::decode_image(io::encode_png(dot), "dot").rgb == dot.rgb);
  io::Image image{37, 23, {}};
  for (int i = 0; i < 37 * 23 * 3; ++i) image.rgb.push_back(static_cast<uint8_t>(i * i / 7));
  const io::Image back = io::decode_image(io::encode_png(image), "back");
  CHECK(back.width == 37);
  CHECK(back.height == 23);
  CHECK(back.rgb == image.rgb);
  image.rgb.pop_back();
  CHECK_THROWS_AS((void)io::encode_png(image), InternalError);
}

TEST_CASE("BMP and JPEG") {
  const io::Image image = plain_image(3, 2, 200, 100, 50);
  const io::Image bmp = io::decode_image(bmp_bytes(image), "x.bmp");
  CHECK(bmp.rgb == image.rgb);
  const io::Image jpeg = io::decode_image(jpeg_bytes(image), "x.jpg");
  REQUIRE(jpeg.rgb.size() == image.rgb.size());
  for (size_t i = 0; i < image.rgb.size(); ++i) CHECK(std::abs(jpeg.rgb[i] - image.rgb[i]) <= 4);
}

TEST_CASE("a file that is cut short anywhere is refused") {
  io::Image image{29, 31, {}};
  for (int i = 0; i < 29 * 31 * 3; ++i) image.rgb.push_back(static_cast<uint8_t>(i * 37 % 251));
  for (const Bytes& whole : {io::encode_png(image), bmp_bytes(image), jpeg_bytes(image)}) {
    CHECK(refusal(whole).empty());
    for (size_t length = 0; length < whole.size(); ++length) {
      const std::string reason =
          refusal(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)));
      REQUIRE_MESSAGE(!reason.empty(), length, " of ", whole.size());
    }
  }
  const Bytes png = io::encode_png(image);
  CHECK(refusal(Bytes(png.begin(), png.end() - 12)).find("cut short") != std::string::npos);  // no IEND
  CHECK(refusal(Bytes(png.begin(), png.begin() + 200)).find("IDAT") != std::string::npos);
}

TEST_CASE("a PNG with a flipped bit is refused") {
  const Bytes whole = io::encode_png(plain_image(5, 4, 1, 2, 3));
  for (size_t i = 0; i < whole.size(); ++i) {
    Bytes damaged = whole;
    damaged[i] ^= 0x10;
    REQUIRE_MESSAGE(!refusal(damaged).empty(), "byte ", i);
  }
}

TEST_CASE("a PNG whose chunks are sound and whose pixels are too few is refused") {
  // The header says two rows, the data has one.
  const Bytes png =
      png_bytes({.width = 2, .height = 2, .depth = 8, .color = PngColor::grey}, {0, 10, 250}, {});
  CHECK(refusal(png).find("not enough pixels") != std::string::npos);
}

TEST_CASE("a JPEG whose Huffman table claims too many codes is refused") {
  Bytes jpeg = jpeg_bytes(plain_image(8, 8, 1, 2, 3));
  const Bytes marker = {0xFF, 0xC4};
  const auto table = std::search(jpeg.begin(), jpeg.end(), marker.begin(), marker.end());
  REQUIRE(table != jpeg.end());
  std::fill_n(table + 5, 16, uint8_t{255});  // after the length and the table's class
  CHECK(refusal(jpeg).find("Huffman") != std::string::npos);
}

TEST_CASE("what is no image, and what is too large") {
  const std::string text = "path,label\nthis is text\n";
  CHECK(refusal(Bytes(text.begin(), text.end())).find("not a PNG, JPEG or BMP") != std::string::npos);
  CHECK(refusal({}).find("empty") != std::string::npos);
  const std::string gif = "GIF89a and more";
  CHECK(refusal(Bytes(gif.begin(), gif.end())).find("not a PNG, JPEG or BMP") != std::string::npos);
  for (const int side : {20000, 16000})
    CHECK(refusal(png_bytes({.width = side, .height = side, .depth = 8, .color = PngColor::grey}, {0}, {}))
              .find("pixels; at most") != std::string::npos);
}

TEST_CASE("files") {
  const TemporaryFolder folder;
  CHECK_THROWS_AS((void)io::read_image(folder.path() / "absent.png"), MissingInputError);
  CHECK_THROWS_AS((void)io::read_image(folder.path()), MissingInputError);
  const auto file = put(folder, "fake.png", "just text");
  CHECK_THROWS_WITH_AS((void)io::read_image(file), doctest::Contains("fake.png"), DataError);
  const auto good = put(folder, "a.png", io::encode_png(plain_image(4, 3, 1, 2, 3)));
  CHECK(io::read_image(good).rgb.size() == 36);
}

TEST_CASE("a real spectrogram") {
  const auto path = data_path("o3_scattering_koi/Koi_Fish/L1_1238344367.245120049.png");
  if (!path) return;
  const io::Image image = io::read_image(*path);
  CHECK(image.width == 299);
  CHECK(image.height == 299);
  CHECK(image.rgb.size() == 299 * 299 * 3);
}
