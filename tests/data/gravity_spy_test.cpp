#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "engine/core/error.h"
#include "engine/data/dataset.h"
#include "engine/data/loader.h"
#include "engine/data/pixels.h"
#include "engine/data/scan.h"
#include "engine/data/split.h"
#include "tests/data/files.h"
#include "tests/data/gravity_spy_files.h"
#include "tests/support/test_data.h"

using namespace xf;

namespace {

Dataset opened(const std::filesystem::path& file, const std::string& view) {
  return open_dataset(file, {.view = parse_view(view)});
}

/// The bytes of one pixel.
std::array<int, 3> pixel(const io::Image& image, int x, int y) {
  const size_t at = 3 * (static_cast<size_t>(y) * static_cast<size_t>(image.width) + static_cast<size_t>(x));
  return {image.rgb[at], image.rgb[at + 1], image.rgb[at + 2]};
}

/// What opening a file says that `fill` wrote into.
template <class Fill>
void refuses(Fill fill, const char* reason) {
  const test::TemporaryFolder folder;
  {
    hdf5::Writer file(folder / "bad.h5");
    test::put_glitch(file, "/Blip/train/good", 1);
    fill(file);
    file.commit();
  }
  CAPTURE(reason);
  CHECK_THROWS_WITH_AS((void)open_dataset(folder / "bad.h5"), doctest::Contains(reason), DataError);
}

}  // namespace

TEST_CASE("Gravity Spy's HDF5 layout: classes, parts, ids") {
  const test::TemporaryFolder folder;
  const Dataset data = opened(test::small_gravity_spy(folder / "set.h5"), "");
  CHECK(data.form == Form::gravity_spy);
  CHECK(data.classes == std::vector<std::string>{"Blip", "Chirp"});
  REQUIRE(data.samples.size() == 28);
  CHECK(data.samples[0].name == "Blip/test/b4/0.5.png");
  CHECK(data.samples[0].glitch == "b4");
  CHECK(data.samples[0].duration == Duration::half);
  CHECK(data.samples[0].images[0].where() == (folder / "set.h5").string() + ":/Blip/test/b4/0.5.png");
  CHECK(data.samples[27].name == "Chirp/validation/c2/4.0.png");
  CHECK(data.samples[27].label == 1);
  const std::vector<Part> parts = own_split(data);
  CHECK(samples_in(parts, Part::train).size() == 12);
  CHECK(samples_in(parts, Part::val).size() == 8);
  CHECK(samples_in(parts, Part::test).size() == 8);
  CHECK_NOTHROW(check_split(data, parts, data.source));
}

TEST_CASE("views of four durations") {
  const test::TemporaryFolder folder;
  const auto file = test::small_gravity_spy(folder / "set.h5");

  const Dataset single = opened(file, "single:2.0");
  REQUIRE(single.samples.size() == 7);
  CHECK(single.samples[0].name == "Blip/test/b4/2.0.png");
  const io::Image one = read_image(single.samples[0]);
  CHECK(one.width == 170);
  CHECK(one.height == 140);
  CHECK(pixel(one, 3, 4) == std::array{42, 42, 42});

  const Dataset merged = open_dataset(file);  // the default of this layout
  CHECK(name(merged.view) == "merged");
  REQUIRE(merged.samples.size() == 7);
  CHECK(merged.samples[0].name == "Blip/test/b4");
  CHECK(merged.samples[0].part == Part::test);
  const io::Image four = read_image(merged.samples[0]);
  CHECK(four.width == 340);
  CHECK(four.height == 280);
  CHECK(pixel(four, 169, 139)[0] == 40);
  CHECK(pixel(four, 170, 139)[0] == 41);
  CHECK(pixel(four, 169, 140)[0] == 42);
  CHECK(pixel(four, 170, 140)[0] == 43);
  CHECK(pixel(four, 339, 279)[0] == 43);

  const Dataset stack = opened(file, "stack:4.0,0.5,1.0");
  REQUIRE(stack.samples.size() == 7);
  CHECK(pixel(read_image(stack.samples[0]), 0, 0) == std::array{43, 40, 41});

  const Dataset all = opened(file, "all");
  REQUIRE(all.samples.size() == 28);
  CHECK(all.samples[3].name == "Blip/test/b4/4.0.png");
  CHECK(all.samples[3].glitch == all.samples[0].glitch);
}

TEST_CASE("the words of --view") {
  for (const char* text :
       {"", "single:0.5", "single:4.0", "merged", "stack:0.5,1.0,2.0", "stack:1.0,1.0,1.0", "all"})
    CHECK(name(parse_view(text)) == text);
  for (const char* text : {"single", "single:", "single:3.0", "single:1", "single:0.5,1.0", "stack:0.5,1.0",
                           "stack:0.5,1.0,2.0,4.0", "stack:0.5,1.0,2.0,", "Merged", "none"})
    CHECK_THROWS_AS((void)parse_view(text), UsageError);
}

TEST_CASE("grey values become the nearest bytes, the same whichever thread reads them") {
  const test::TemporaryFolder folder;
  std::vector<float> ramp = test::flat_spectrogram(0);
  for (size_t i = 0; i < ramp.size(); ++i)
    ramp[i] = static_cast<float>(i) / static_cast<float>(ramp.size() - 1);
  {
    hdf5::Writer file(folder / "set.h5");
    for (const char* id : {"a", "b", "c", "d"})
      for (const char* image : {"0.5", "1.0", "2.0", "4.0"})
        test::put_spectrogram(file, std::string("/Blip/train/") + id + "/" + image + ".png", ramp);
    file.commit();
  }
  const Dataset data = opened(folder / "set.h5", "single:0.5");
  const io::Image image = read_image(data.samples[0]);
  for (size_t i = 0; i < ramp.size(); ++i)
    REQUIRE(image.rgb[3 * i + 1] == static_cast<uint8_t>(std::lround(255 * static_cast<double>(ramp[i]))));
  LoaderOptions options{
      .batch = 2, .height = 140, .width = 170, .channels = 1, .order = Order::sequential, .threads = 3};
  Loader loader(data.samples, options);
  loader.start_epoch(0);
  for (ImageBatch batch; loader.next(batch);) {
    const auto bytes = batch.images.as<uint8_t>();
    for (size_t i = 0; i < bytes.size(); ++i) REQUIRE(bytes[i] == image.rgb[3 * (i % ramp.size())]);
  }
}

TEST_CASE("datasets that are no spectrograms are found by the scan") {
  const test::TemporaryFolder folder;
  {
    hdf5::Writer file(folder / "set.h5");
    for (const char* id : {"good", "nan", "large", "shape", "text"})
      for (const char* image : {"0.5.png", "2.0.png", "4.0.png"})
        test::put_spectrogram(file, std::string("/Blip/train/") + id + "/" + image,
                              test::flat_spectrogram(0));
    const auto path = [](const char* id) { return std::string("/Blip/train/") + id + "/1.0.png"; };
    std::vector<float> nan = test::flat_spectrogram(1);
    nan[77] = std::numeric_limits<float>::quiet_NaN();
    test::put_spectrogram(file, path("good"), test::flat_spectrogram(1));
    test::put_spectrogram(file, path("nan"), nan);
    test::put_spectrogram(file, path("large"), test::flat_spectrogram(37));
    const std::vector<int64_t> dims{140, 170};
    file.dataset<float>(path("shape"), dims, test::flat_spectrogram(0));
    file.dataset(path("text"), std::vector<std::string>{"a"});
    file.commit();
  }
  const Scan found = scan(opened(folder / "set.h5", "single:1.0"));
  REQUIRE(found.bad.size() == 4);
  const auto says = [&](size_t i, const char* text) {
    CAPTURE(found.bad[i].reason);
    CHECK(found.bad[i].reason.find(text) != std::string::npos);
  };
  says(0, "/Blip/train/large/1.0.png: holds 37");
  says(1, "/Blip/train/nan/1.0.png: holds nan");
  says(2, "/Blip/train/shape/1.0.png: has the shape (140, 170) instead of (1, 140, 170)");
  says(3, "/Blip/train/text/1.0.png");
}

TEST_CASE("files in Gravity Spy's layout that are refused") {
  refuses([](auto& f) { f.group("/Chirp"); }, "class Chirp holds no glitches");
  refuses([](auto& f) { f.group("/Blip/test"); }, "Blip/test is an empty group");
  refuses([](auto& f) { f.group("/Blip/test/x"); }, "glitch Blip/test/x has no images");
  refuses([](auto& f) { test::put_glitch(f, "/Blip/holdout/x", 1); }, "Blip/holdout is no part");
  refuses([](auto& f) { test::put_glitch(f, "/Blip/test/good", 1); },
          "id good is there twice: Blip/test/good and Blip/train/good");
  refuses([](auto& f) { test::put_glitch(f, "/Chirp/train/good", 1); },
          "id good is there twice: Blip/train/good and Chirp/train/good");
  refuses([](auto& f) { test::put_spectrogram(f, "/Blip/test/x/1.0.png", test::flat_spectrogram(0)); },
          "x has no image of 0.5 s");
  const test::TemporaryFolder folder;
  hdf5::Writer(folder / "empty.h5").commit();
  CHECK_THROWS_WITH_AS((void)open_dataset(folder / "empty.h5"),
                       doctest::Contains("not in Gravity Spy's layout"), DataError);
  CHECK_THROWS_WITH_AS((void)open_dataset(test::put(folder, "text.h5", "text")),
                       doctest::Contains("is not an HDF5 file"), DataError);
}

TEST_CASE("with skip, what cannot be shown is left out, but no whole class") {
  const test::TemporaryFolder folder;
  {
    hdf5::Writer file(folder / "set.h5");
    test::put_glitch(file, "/Blip/train/a", 1);
    test::put_glitch(file, "/Blip/test/a", 1);
    test::put_spectrogram(file, "/Blip/train/half/0.5.png", test::flat_spectrogram(0));
    test::put_spectrogram(file, "/Chirp/train/c/0.5.png", test::flat_spectrogram(0));
    file.group("/None");
    file.commit();
  }
  const auto open = [&](const char* view) {
    return open_dataset(folder / "set.h5", {.view = parse_view(view), .on_bad_image = OnBadImage::skip});
  };
  const Dataset data = open("single:0.5");
  REQUIRE(data.samples.size() == 3);
  CHECK(data.classes == std::vector<std::string>{"Blip", "Chirp"});
  CHECK_THROWS_WITH_AS((void)open("merged"), doctest::Contains("class Chirp"), DataError);
}

TEST_CASE("views of a folder whose files carry the duration") {
  const test::TemporaryFolder folder;
  uint8_t grey = 10;
  for (const char* file : {"A/x_0.5.png", "A/x_1.0.png", "A/x_2.0.png", "A/x_4.0.png"}) {
    test::put(folder, file, io::encode_png(test::plain_image(4, 3, grey, 0, 0)));
    ++grey;
  }
  const Dataset merged = opened(folder.path(), "merged");
  REQUIRE(merged.samples.size() == 1);
  CHECK(merged.samples[0].name == "A/x");
  const io::Image image = read_image(merged.samples[0]);
  CHECK(image.width == 8);
  CHECK(image.height == 6);
  CHECK(pixel(image, 7, 5) == std::array{13, 0, 0});  // the colours stay
  CHECK(opened(folder.path(), "").samples.size() == 4);

  test::put(folder, "A/y.png", io::encode_png(test::plain_image(4, 3, 0, 0, 0)));
  CHECK_THROWS_WITH_AS((void)opened(folder.path(), "single:1.0"),
                       doctest::Contains("A/y has no image of 1.0 s"), DataError);
  test::put(folder, "A/x_1.0.jpg", io::encode_png(test::plain_image(4, 3, 0, 0, 0)));
  CHECK_THROWS_WITH_AS((void)opened(folder.path(), "merged"),
                       doctest::Contains("A/x has two images of 1.0 s: A/x_1.0.jpg and A/x_1.0.png"),
                       DataError);
  std::filesystem::remove(folder / "A/x_1.0.jpg");
  test::put(folder, "A/x_4.0.png", io::encode_png(test::plain_image(5, 3, 0, 0, 0)));
  CHECK_THROWS_WITH_AS((void)read_image(merged.samples[0]), doctest::Contains("x_4.0.png: is 5x3 pixels"),
                       DataError);
}

TEST_CASE("images none of which says its duration are taken for the single one that is asked for") {
  const test::TemporaryFolder folder;
  test::put(folder, "A/x.png", "");
  test::put(folder, "A/y.png", "");
  const Dataset data = opened(folder.path(), "single:1.0");
  REQUIRE(data.samples.size() == 2);
  CHECK(data.samples[1].name == "A/y.png");
  CHECK_THROWS_WITH_AS((void)opened(folder.path(), "merged"), doctest::Contains("A/x has no image of 0.5 s"),
                       DataError);
}

TEST_CASE("real glitches in Gravity Spy's layout") {
  const auto path = test::data_path("gravityspy_mini.h5");
  if (!path) return;
  const Dataset data = open_dataset(*path);
  CHECK(data.classes.size() >= 22);
  CHECK(!own_split(data).empty());
  const Scan found = scan(data);
  CHECK(found.bad.empty());
  CHECK(image_sizes(found).size() == 1);
  CHECK(image_sizes(found).begin()->first == std::pair{340, 280});
  for (const char* view : {"single:0.5", "single:1.0", "single:2.0", "single:4.0"})
    CHECK(opened(*path, view).samples.size() == data.samples.size());
}
