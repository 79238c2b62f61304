#include "engine/data/scan.h"

#include <doctest/doctest.h>

#include "engine/core/error.h"
#include "engine/core/threads.h"
#include "engine/data/summary.h"
#include "engine/io/image.h"
#include "tests/data/files.h"
#include "tests/io/image_bytes.h"
#include "tests/support/test_data.h"

using namespace xf;

namespace {

/// Two classes; in b a text file, a truncated PNG and one good image, which is also in a as a BMP.
void fill(const test::TemporaryFolder& folder) {
  const io::Image red = test::plain_image(6, 4, 200, 0, 0), blue = test::plain_image(5, 4, 0, 0, 200);
  const std::vector<uint8_t> png = io::encode_png(red);
  test::put(folder, "a/red.bmp", test::bmp_bytes(red));
  test::put(folder, "a/blue.png", io::encode_png(blue));
  test::put(folder, "b/good.png", png);
  test::put(folder, "b/half.png", std::span(png).first(png.size() / 2));
  test::put(folder, "b/text.png", "only text");
}

}  // namespace

TEST_CASE("a scan finds every bad image, and the same ones at any thread count") {
  const test::TemporaryFolder folder;
  fill(folder);
  const Dataset data = open_dataset(folder.path());
  const int before = threads();
  for (const int count : {1, 3}) {
    set_threads(count);
    const Scan result = scan(data);
    REQUIRE(result.bad.size() == 2);
    CHECK(result.bad[0].reason.find("half.png: is cut short") != std::string::npos);
    CHECK(result.bad[1].reason.find("text.png: is not a PNG") != std::string::npos);
    CHECK(data.samples[result.bad[0].sample].name == "b/half.png");
    CHECK(result.images[result.bad[0].sample].width == 0);
    const auto same = duplicates(result);
    REQUIRE(same.size() == 1);
    REQUIRE(same[0].size() == 2);
    CHECK(data.samples[same[0][0]].name == "a/red.bmp");
    CHECK(data.samples[same[0][1]].name == "b/good.png");
    CHECK(image_sizes(result) == std::map<std::pair<int, int>, size_t>{{{5, 4}, 1}, {{6, 4}, 2}});
  }
  set_threads(before);
}

TEST_CASE("bad images stop the work with all their names, or are left out") {
  const test::TemporaryFolder folder;
  fill(folder);
  Dataset data = open_dataset(folder.path());
  Scan found = scan(data);
  try {
    settle_bad_images(OnBadImage::fail, found, data);
    FAIL("accepted");
  } catch (const DataError& e) {
    const std::string text = e.what();
    CHECK(text.find("2 of 5 images") != std::string::npos);
    CHECK(text.find("half.png") != std::string::npos);
    CHECK(text.find("text.png") != std::string::npos);
    CHECK(text.find('\n') == std::string::npos);
  }
  CHECK(data.samples.size() == 5);
  settle_bad_images(OnBadImage::skip, found, data);
  REQUIRE(data.samples.size() == 3);
  CHECK(data.samples[2].name == "b/good.png");
  CHECK(scan(data).bad.empty());

  std::filesystem::remove(folder / "b/good.png");
  found = scan(data);
  REQUIRE(found.bad.size() == 1);
  CHECK(found.bad[0].reason.find("does not exist") != std::string::npos);
  CHECK_THROWS_WITH_AS(settle_bad_images(OnBadImage::skip, found, data), doctest::Contains("class b"),
                       DataError);
  CHECK(parse_on_bad_image("skip") == OnBadImage::skip);
  CHECK_THROWS_AS((void)parse_on_bad_image("ignore"), UsageError);
}

TEST_CASE("counts of a data set") {
  const test::TemporaryFolder folder;
  for (const char* file : {"a/1_0.5.png", "a/1_1.0.png", "a/2.png", "b/1.png"}) test::put(folder, file, "");
  const Dataset data = open_dataset(folder.path());
  const auto plain = summarize(data);
  REQUIRE(plain.size() == 2);
  CHECK(plain[0].label == "a");
  CHECK(plain[0].images == 3);
  CHECK(plain[0].glitches == 2);
  CHECK(plain[0].part_images == std::array<size_t, 3>{0, 0, 0});
  const auto split = summarize(data, {Part::test, Part::test, Part::train, Part::train});
  CHECK(split[0].part_images == std::array<size_t, 3>{1, 0, 2});
  CHECK(split[0].part_glitches == std::array<size_t, 3>{1, 0, 1});
}

TEST_CASE("real images are all good") {
  const auto path = test::data_path("glitch27_examples");
  if (!path) return;
  Dataset data = open_dataset(*path);
  data.samples.resize(50);
  const Scan result = scan(data);
  CHECK(result.bad.empty());
  CHECK(image_sizes(result).size() == 1);
  CHECK(image_sizes(result).begin()->first == std::pair{299, 299});
}
