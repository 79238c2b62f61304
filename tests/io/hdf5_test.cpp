#include "engine/io/hdf5.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "engine/core/error.h"
#include "engine/io/atomic_file.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_data.h"

using xf::hdf5::File;
using xf::hdf5::Kind;
using xf::hdf5::Writer;
using xf::test::content;
using xf::test::TemporaryFolder;
using Texts = std::vector<std::string>;

namespace {
void write_sample(const std::filesystem::path& path) {
  Writer w(path);
  const int64_t dims[] = {3, 2}, scalar_count[] = {1};
  w.dataset<float>("/a/b/kernel:0", dims, std::vector<float>{0, 1, 2, 3, 4.5F, -5});
  w.dataset<int64_t>("/ids", dims, std::vector<int64_t>{1, 2, 3, 4, 5, 6});
  w.dataset<float>("/scalar", {}, std::vector<float>{7});
  w.dataset<float>("/none", std::vector<int64_t>{0, 4}, std::vector<float>{});
  w.dataset<uint8_t>("/bytes", scalar_count, std::vector<uint8_t>{200});
  w.dataset("/paths", Texts{"x.png", "", "übrig/y.png"});
  w.attribute("/", "backend", "tensorflow");
  w.attribute("/a", "weight_names", Texts{"b/kernel:0", "c"});
  w.attribute("/a/b", "weight_names", Texts{});
  w.attribute("/ids", "rate", 0.25);
  w.commit();
}
}  // namespace

TEST_CASE("what is written is read back, bit by bit") {
  const TemporaryFolder folder;
  write_sample(folder / "s.h5");
  const File f(folder / "s.h5");
  CHECK(f.children("/") == Texts{"a", "bytes", "ids", "none", "paths", "scalar"});
  CHECK(f.dims("/a/b/kernel:0") == std::vector<int64_t>{3, 2});
  CHECK(f.read<float>("a/b/kernel:0") == std::vector<float>{0, 1, 2, 3, 4.5F, -5});
  CHECK(f.read<double>("/a/b/kernel:0")[4] == 4.5);
  CHECK(f.read<int64_t>("/ids") == std::vector<int64_t>{1, 2, 3, 4, 5, 6});
  CHECK(f.read<float>("/ids")[5] == 6.0F);
  CHECK(f.dims("/scalar").empty());
  CHECK(f.read<float>("/scalar") == std::vector<float>{7});
  CHECK(f.read<float>("/none").empty());
  CHECK(f.read<uint8_t>("/bytes") == std::vector<uint8_t>{200});
  CHECK(f.read_strings("/paths") == Texts{"x.png", "", "übrig/y.png"});
  CHECK(f.kind("/paths") == Kind::string);
  CHECK(f.text("/", "backend") == "tensorflow");
  CHECK_FALSE(f.text("/", "keras_version"));
  CHECK(f.strings("/a", "weight_names") == Texts{"b/kernel:0", "c"});
  CHECK(f.strings("/a/b", "weight_names").empty());
  CHECK(f.numbers("/ids", "rate") == std::vector<double>{0.25});
  std::vector<float> rows(4);
  f.read_rows<float>("/a/b/kernel:0", 1, 2, rows);
  CHECK(rows == std::vector<float>{2, 3, 4.5F, -5});
}

TEST_CASE("objects are found by paths, and errors name file and object") {
  const TemporaryFolder folder;
  write_sample(folder / "s.h5");
  const File f(folder / "s.h5");
  CHECK(f.exists("/"));
  CHECK(f.exists("/a/b/kernel:0"));
  CHECK(f.is_dataset("a/b/kernel:0"));
  CHECK_FALSE(f.is_dataset("/a"));
  CHECK_FALSE(f.exists("/q/b"));
  CHECK_FALSE(f.exists("/ids/b"));
  std::vector<float> two(2);
  CHECK_THROWS_WITH_AS((void)f.read<float>("/gone"), doctest::Contains("s.h5: /gone: is not in the file"),
                       xf::DataError);
  CHECK_THROWS_WITH_AS((void)f.read<float>("/paths"), doctest::Contains("/paths: does not hold numbers"),
                       xf::DataError);
  CHECK_THROWS_WITH_AS((void)f.read<int64_t>("/scalar"), doctest::Contains("does not hold integers"),
                       xf::DataError);
  CHECK_THROWS_AS(f.read_rows<float>("/a/b/kernel:0", 3, 1, two), xf::DataError);
  CHECK_THROWS_AS((void)f.strings("/a", "names"), xf::DataError);
  CHECK_THROWS_AS((void)f.numbers("/a", "weight_names"), xf::DataError);
  CHECK_THROWS_AS((void)f.read_strings("/ids"), xf::DataError);
}

TEST_CASE("the same calls give the same bytes") {
  const TemporaryFolder folder;
  write_sample(folder / "1.h5");
  write_sample(folder / "2.h5");
  CHECK(content(folder / "1.h5") == content(folder / "2.h5"));
}

TEST_CASE("an array of strings too large for one attribute is split and joined") {
  const TemporaryFolder folder;
  Texts names;
  for (int i = 0; i < 9000; ++i) names.push_back("batch_normalization_" + std::to_string(i));
  {
    Writer w(folder / "s.h5");
    w.attribute("/", "layer_names", names);
    w.commit();
  }
  const File f(folder / "s.h5");
  CHECK(f.has_attribute("/", "layer_names"));
  CHECK(f.strings("/", "layer_names") == names);
  CHECK(f.strings("/", "layer_names2").size() == 64512 / 24);
}

TEST_CASE("what is no whole HDF5 file is said in one line") {
  const TemporaryFolder folder;
  write_sample(folder / "s.h5");
  const std::string whole = content(folder / "s.h5");
  for (const size_t size : {whole.size() / 2, whole.size() - 1, size_t{100}}) {
    xf::io::write_file(folder / "cut.h5", whole.substr(0, size));
    CHECK_THROWS_WITH_AS(File(folder / "cut.h5"), doctest::Contains("cut.h5: is truncated"), xf::DataError);
  }
  xf::io::write_file(folder / "text.h5", "hello, I am text");
  CHECK_THROWS_WITH_AS(File(folder / "text.h5"),
                       doctest::Contains("not an HDF5 file: it begins with \"hello, I am text\""),
                       xf::DataError);
  xf::io::write_file(folder / "empty.h5", "");
  CHECK_THROWS_WITH_AS(File(folder / "empty.h5"), doctest::Contains("it is empty"), xf::DataError);
  CHECK_THROWS_WITH_AS(File(folder / "gone.h5"), doctest::Contains("gone.h5"), xf::MissingInputError);
  CHECK_THROWS_AS(File(folder.path()), xf::MissingInputError);
}

TEST_CASE("a damaged file gives an error or other values, and nothing worse") {
  const TemporaryFolder folder;
  write_sample(folder / "s.h5");
  const std::string whole = content(folder / "s.h5");
  for (size_t at = 0; at < whole.size(); at += 37) {
    std::string bad = whole;
    bad[at] = static_cast<char>(bad[at] ^ 0x5A);
    xf::io::write_file(folder / "bad.h5", bad);
    try {
      const File f(folder / "bad.h5");
      for (const char* name : {"/a/b/kernel:0", "/ids", "/scalar"}) {
        (void)f.read<float>(name);
      }
      (void)f.children("/");
      (void)f.strings("/a", "weight_names");
      (void)f.text("/", "backend");
    } catch (const xf::Error&) {
    }
  }
}

TEST_CASE("every dataset of a file, and the types of their elements") {
  const TemporaryFolder folder;
  Writer w(folder / "f.h5");
  w.dataset<float>("/b/x", std::vector<int64_t>{2}, std::vector<float>{1, 2});
  w.dataset<double>("/b/a/y", std::vector<int64_t>{1}, std::vector<double>{1});
  w.dataset<uint8_t>("/a", std::vector<int64_t>{1}, std::vector<uint8_t>{1});
  w.dataset<int64_t>("/c", std::vector<int64_t>{1}, std::vector<int64_t>{1});
  w.dataset("/t", Texts{"text"});
  w.group("/empty");
  w.commit();
  const File f(folder / "f.h5");
  CHECK(f.datasets("/") == Texts{"/a", "/b/a/y", "/b/x", "/c", "/t"});
  CHECK(f.datasets("/b") == Texts{"/b/a/y", "/b/x"});
  CHECK(f.datasets("/empty").empty());
  CHECK_THROWS_AS((void)f.datasets("/gone"), xf::DataError);
  CHECK(f.element_type("/b/x") == "f32");
  CHECK(f.element_type("/b/a/y") == "f64");
  CHECK(f.element_type("/a") == "u8");
  CHECK(f.element_type("/c") == "i64");
  CHECK(f.element_type("/t") == "text");
  CHECK_NOTHROW(f.require_stored("/b/x"));
}

TEST_CASE("a real file of another writer: fixed strings, gzip, float64[0]") {
  const auto path = xf::test::data_path("inception_v3_trunk.h5");
  if (!path) return;
  const File f(*path);
  CHECK(f.strings("/", "layer_names").size() == 312);
  CHECK(f.strings("/input_1", "weight_names").empty());
  CHECK(f.read<float>("/conv2d_1/conv2d_1/kernel:0").size() == 3 * 3 * 3 * 32);
}

TEST_CASE("a strain file: numbers and text in attributes and scalars") {
  const auto folder = xf::test::data_path("strain");
  if (!folder) return;
  for (const auto& entry : std::filesystem::directory_iterator(*folder)) {
    const File f(entry.path());
    CHECK(f.numbers("/strain/Strain", "Xspacing") == std::vector<double>{1.0 / 4096});
    CHECK(f.dims("/strain/Strain") == std::vector<int64_t>{32 * 4096});
    CHECK(f.read<double>("/strain/Strain").size() == 32 * 4096);
    CHECK(f.read_strings("/meta/Detector").size() == 1);
    CHECK_FALSE(f.read_strings("/quality/simple/DQShortnames").empty());
  }
}
