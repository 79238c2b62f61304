#include <doctest/doctest.h>

#include "engine/core/error.h"
#include "engine/data/dataset.h"
#include "engine/data/split.h"
#include "engine/data/split_file.h"
#include "tests/data/files.h"

using namespace xf;

namespace {

void refuses(const test::TemporaryFolder& folder, const std::string& text, const std::string& reason) {
  CAPTURE(text);
  CHECK_THROWS_WITH_AS((void)open_dataset(test::put(folder, "bad.csv", text)),
                       doctest::Contains(reason.c_str()), DataError);
}

}  // namespace

TEST_CASE("a manifest with all its columns") {
  const test::TemporaryFolder folder;
  const auto file = test::put(folder, "sub/data.csv",
                              "label,path,gps,id,split\n"
                              "Whistle,images/../images/w_0.5.png,1264785164.25,abc,train\n"
                              "\"Blip, low\",images/b.png,,,validation\n"
                              "Whistle,/elsewhere/w_1.0.png,,abc,train\n");
  const Dataset data = open_dataset(file);
  CHECK(data.classes == std::vector<std::string>{"Blip, low", "Whistle"});
  REQUIRE(data.samples.size() == 3);
  CHECK(data.samples[0].images[0].file == folder / "sub/images/w_0.5.png");
  CHECK(data.samples[0].name == "images/w_0.5.png");
  CHECK(data.samples[0].label == 1);
  CHECK(data.samples[0].glitch == "abc");
  CHECK(data.samples[0].gps == 1264785164.25);
  CHECK(data.samples[1].glitch == "images/b");
  CHECK(!data.samples[1].gps);
  CHECK(data.samples[2].images[0].file == "/elsewhere/w_1.0.png");
  CHECK(own_split(data) == std::vector<Part>{Part::train, Part::val, Part::train});
}

TEST_CASE("a manifest of paths and labels groups the durations of a glitch") {
  const test::TemporaryFolder folder;
  const Dataset data = open_dataset(
      test::put(folder, "m.csv", "path,label\nx/a_0.5.png,A\nx/a_4.0.png,A\ny/a_0.5.png,A\nb.png,B\n"));
  CHECK(data.samples[0].glitch == data.samples[1].glitch);
  CHECK(data.samples[0].glitch != data.samples[2].glitch);
  CHECK(own_split(data).empty());
}

TEST_CASE("manifests that are refused") {
  const test::TemporaryFolder folder;
  CHECK_THROWS_AS((void)open_dataset(folder / "absent.csv"), MissingInputError);
  refuses(folder, "", "bad.csv");
  refuses(folder, "path,label\n", "lists no images");
  refuses(folder, "path,class\na.png,A\n", "label");
  refuses(folder, "path,label\na.png,A\nb.png\n", "bad.csv:3");
  refuses(folder, "path,label\na.png,A\n./a.png,B\n", "bad.csv:3: a.png is listed before, on line 2");
  refuses(folder, "path,label\n,A\n", "the path is empty");
  refuses(folder, "path,label\na.png,\n", "the label is empty");
  refuses(folder, "path,label,split\na.png,A,dev\n", "no split \"dev\"");
  refuses(folder, "path,label,split\na.png,A,train\nb.png,A,\n", "bad.csv:3");
  refuses(folder, "path,label,gps\na.png,A,yesterday\n", "no GPS time");
  refuses(folder, "path,label,id\na.png,A,1\nb.png,B,1\n", "glitch 1 is labelled A (a.png) and B (b.png)");
  refuses(folder, "path,label\na_0.5.png,A\na_1.0.png,B\n", "glitch a is labelled");
  refuses(folder, "path,label,split\na_0.5.png,A,train\na_1.0.png,A,test\n",
          "glitch a is in train (a_0.5.png) and in test (a_1.0.png)");
}

TEST_CASE("a split file gives back the split") {
  const test::TemporaryFolder folder;
  std::string manifest = "path,label,id\n";
  for (int i = 0; i < 40; ++i)
    manifest += "\"images, all/" + std::to_string(i) + ".png\"," + (i % 2 == 0 ? "A" : "\"B\"\"\"") + ",g" +
                std::to_string(i / 4 * 2 + i % 2) + "\n";
  const Dataset data = open_dataset(test::put(folder, "m.csv", manifest));
  const auto parts = make_split(data, {.val = 0.2, .test = 0.2, .seed = 5});
  write_split(folder / "split.csv", data, parts);
  CHECK(read_split(folder / "split.csv", data) == parts);
  CHECK(test::content(folder / "split.csv").rfind("path,label,split,id\n\"images, all/0.png\",A,", 0) == 0);

  Dataset fewer = data;  // lines about absent images do no harm
  fewer.samples.resize(10);
  CHECK(read_split(folder / "split.csv", fewer) == std::vector<Part>(parts.begin(), parts.begin() + 10));

  Dataset renamed = data;  // another view of the same glitches
  for (Sample& s : renamed.samples) s.name = "other/" + s.name;
  CHECK(read_split(folder / "split.csv", renamed) == parts);

  // A split file is itself a manifest with its own split.
  const Dataset again = open_dataset(folder / "split.csv");
  CHECK(own_split(again) == parts);
}

TEST_CASE("split files that do not fit are refused") {
  const test::TemporaryFolder folder;
  const Dataset data = open_dataset(test::put(folder, "m.csv", "path,label\na.png,A\nb.png,B\n"));
  const auto refused = [&](const std::string& text, const char* reason) {
    CAPTURE(text);
    CHECK_THROWS_WITH_AS((void)read_split(test::put(folder, "split.csv", text), data),
                         doctest::Contains(reason), DataError);
  };
  refused("path,label,split\na.png,A,train\n", "says nothing of 1 images");
  refused("path,label,split\na.png,A,train\nb.png,A,test\n", "labelled A here and B in the data");
  refused("path,label,split\na.png,A,train\nb.png,B,tset\n", "split.csv:3: there is no split \"tset\"");
  refused("path,label,split\na.png,A,train\na.png,A,test\nb.png,B,test\n", "listed twice");
  refused("path,label\na.png,A\n", "split");
  refused("path,label,split,id\na.png,A,train,1\nb.png,B,test,1\n",
          "split.csv:3: glitch 1 is in test here and in train on line 2");
  CHECK_THROWS_AS((void)read_split(folder / "absent.csv", data), MissingInputError);
  CHECK_THROWS_AS(write_split(folder / "no/such/folder.csv", data, {Part::train, Part::test}), WriteError);
}
