#include "engine/data/dataset.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "engine/core/error.h"
#include "tests/data/files.h"
#include "tests/support/test_data.h"

using namespace xf;

namespace {

/// The text of the error that opening gives: "SUBJECT: REASON".
template <class Expected>
std::string refusal(const std::filesystem::path& source) {
  try {
    (void)open_dataset(source);
  } catch (const Expected& e) {
    CHECK(!e.remedy().empty());
    return e.what();
  }
  FAIL("opened without the expected error");
  return {};
}

bool mentions(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a glitch's name is its file's without extension and duration") {
  CHECK(glitch_of("Blip/a_0.5.png") == "Blip/a");
  CHECK(glitch_of("Blip/a_4.0.PNG") == "Blip/a");
  CHECK(glitch_of("Blip/H1_Uvs_spectrogram_2.0.png") == "Uvs");  // of the PNG release
  CHECK(glitch_of("Blip/train/Uvs/2.0.png") == "Blip/train/Uvs");
  CHECK(glitch_of("Blip/a_3.0.png") == "Blip/a_3.0");
  CHECK(glitch_of("Koi/L1_1238344367.245120049.png") == "Koi/L1_1238344367.245120049");
  CHECK(glitch_of("v1.0/a") == "v1.0/a");
  CHECK(glitch_of("x/_1.0.png") == "x/_1.0");  // nothing would be left of it
}

TEST_CASE("a folder of class folders") {
  const test::TemporaryFolder folder;
  for (const char* file : {"b/2_1.0.png", "b/2_0.5.png", "b/1.JPG", "a/x.bmp", "a/y.jpeg", "a/notes.txt",
                           "a/.DS_Store", "a/deeper/z.png", "README.md", ".git/config.png"})
    test::put(folder, file, "never decoded here");
  const Dataset data = open_dataset(folder.path());
  CHECK(data.classes == std::vector<std::string>{"a", "b"});
  std::vector<std::string> names;
  for (const Sample& s : data.samples) names.push_back(s.name);
  CHECK(names == std::vector<std::string>{"a/x.bmp", "a/y.jpeg", "b/1.JPG", "b/2_0.5.png", "b/2_1.0.png"});
  CHECK(data.samples[4].images[0].file == folder.path() / "b/2_1.0.png");
  CHECK(data.samples[1].label == 0);
  CHECK(data.samples[2].label == 1);
  CHECK(data.samples[3].glitch == "b/2");
  CHECK(data.samples[4].glitch == "b/2");
  std::vector<std::string> left_out = data.left_out;
  std::sort(left_out.begin(), left_out.end());
  CHECK(left_out == std::vector<std::string>{"README.md", "a/deeper", "a/notes.txt"});
  const auto glitches = glitches_by_class(data);
  REQUIRE(glitches.size() == 2);
  CHECK(glitches[0].size() == 2);
  REQUIRE(glitches[1].size() == 2);
  CHECK(glitches[1][1].samples == std::vector<size_t>{3, 4});
}

TEST_CASE("folders that are refused") {
  const test::TemporaryFolder folder;
  CHECK(mentions(refusal<MissingInputError>(folder.path() / "nowhere"), "nowhere"));
  CHECK(mentions(refusal<DataError>(folder.path()), "no class folders"));
  test::put(folder, "a/1.png", "");
  std::filesystem::create_directories(folder.path() / "hollow");
  CHECK(mentions(refusal<DataError>(folder.path()), "hollow"));
  std::filesystem::remove(folder.path() / "hollow");
  const Dataset data = open_dataset(folder.path());  // evaluation may look at a single class
  CHECK_THROWS_AS(require_two_classes(data), DataError);
}

TEST_CASE("labels follow a network's classes") {
  const test::TemporaryFolder folder;
  test::put(folder, "a/1.png", "");
  test::put(folder, "c/1.png", "");
  Dataset data = open_dataset(folder.path());
  const ClassDifference difference = use_classes(data, {"c", "b", "a"});
  CHECK(data.samples[0].label == 2);
  CHECK(data.samples[1].label == 0);
  CHECK(data.classes.size() == 3);
  CHECK(difference.unknown.empty());
  CHECK(difference.unknown_images == 0);
  CHECK(difference.absent == std::vector<std::string>{"b"});
}

TEST_CASE("images of classes that a network does not know are left out") {
  const test::TemporaryFolder folder;
  for (const char* file : {"a/1.png", "b/1.png", "b/2.png", "c/1.png"}) test::put(folder, file, "");
  Dataset data = open_dataset(folder.path());
  const ClassDifference difference = use_classes(data, {"c", "d"});
  CHECK(difference.unknown == std::vector<std::string>{"a", "b"});
  CHECK(difference.unknown_images == 3);
  CHECK(difference.absent == std::vector<std::string>{"d"});
  REQUIRE(data.samples.size() == 1);
  CHECK(data.samples[0].name == "c/1.png");
  CHECK(data.samples[0].label == 0);
  CHECK_THROWS_WITH_AS((void)use_classes(data, {"x"}), doctest::Contains("it has c, d"), DataError);
}

TEST_CASE("real folders of glitch images") {
  if (const auto path = test::data_path("glitch27_examples")) {
    const Dataset data = open_dataset(*path);
    CHECK(data.classes.size() == 27);
    const auto glitches = glitches_by_class(data);
    const auto koi = std::find(data.classes.begin(), data.classes.end(), "Koi_Fish") - data.classes.begin();
    CHECK(glitches[static_cast<size_t>(koi)].size() ==
          3);  // nine images: one glitch once, two with four durations
  }
  if (const auto path = test::data_path("o3_scattering_koi")) {
    const Dataset data = open_dataset(*path);
    CHECK(data.classes == std::vector<std::string>{"Fast_Scattering", "Koi_Fish", "Scattered_Light"});
    CHECK(data.samples.size() == 360);
    for (const auto& glitches : glitches_by_class(data)) CHECK(glitches.size() == 120);
  }
}
