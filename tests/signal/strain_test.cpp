#include "engine/signal/strain.h"

#include <doctest/doctest.h>

#include <limits>
#include <string>

#include "engine/core/error.h"
#include "tests/signal/strain_files.h"
#include "tests/support/temporary_folder.h"

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kStart = 1000000000;

/// 100 s at 16 Hz: the value of a sample is its number.
xf::test::StrainContent numbered() {
  xf::test::StrainContent content{16, 1000000000, xf::Series(1600), {}, "L1"};
  for (size_t i = 0; i < content.values.size(); ++i) content.values[i] = static_cast<double>(i);
  return content;
}

std::string refusal(const xf::StrainFile& file, double gps) {
  try {
    (void)file.around(gps, {gps - 10, gps + 10});
  } catch (const xf::DataError& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a stretch of strain has the samples of its time") {
  const xf::test::TemporaryFolder folder;
  const xf::StrainFile file(xf::test::write_strain(folder / "a.hdf5", numbered()));
  CHECK(file.detector() == "L1");
  CHECK(file.sample_rate() == 16);
  CHECK(file.span().begin == kStart);
  CHECK(file.span().end == kStart + 100);
  const xf::Strain strain = file.around(kStart + 50.3, {kStart + 40, kStart + 60});
  CHECK(strain.values.size() == 320);
  CHECK(strain.values.front() == 640);
  CHECK(strain.span.begin == kStart + 40);
  CHECK(strain.span.end == kStart + 60);
  CHECK(strain.clipped.empty());
}

TEST_CASE("strain is clipped by the ends of the file, and that is told") {
  const xf::test::TemporaryFolder folder;
  const xf::StrainFile file(xf::test::write_strain(folder / "a.hdf5", numbered()));
  const xf::Strain begin = file.around(kStart + 2, {kStart - 8, kStart + 12});
  CHECK(begin.span.begin == kStart);
  CHECK(begin.values.size() == 192);
  CHECK(begin.clipped.size() == 1);
  const xf::Strain end = file.around(kStart + 99.99, {kStart + 90, kStart + 110});
  CHECK(end.span.end == kStart + 100);
  CHECK(end.values.back() == 1599);
  CHECK(refusal(file, kStart - 1).find("holds GPS 1000000000 to 1000000100, not 999999999") !=
        std::string::npos);
  CHECK(refusal(file, kStart + 100).find("1000000100") != std::string::npos);
}

TEST_CASE("samples that are no numbers and gaps of the quality mask interrupt the strain") {
  const xf::test::TemporaryFolder folder;
  auto content = numbered();
  content.values[40 * 16 + 3] = kNan;
  content.values[70 * 16 + 1] = std::numeric_limits<double>::infinity();
  content.mask.assign(100, 127);
  content.mask[45] = 126;  // DATA is the lowest bit
  content.mask[46] = 0;
  const xf::StrainFile file(xf::test::write_strain(folder / "a.hdf5", content));
  REQUIRE(file.gaps().size() == 1);
  CHECK(file.gaps()[0].begin == kStart + 45);
  CHECK(file.gaps()[0].end == kStart + 47);
  const xf::Strain middle = file.around(kStart + 60, {kStart + 30, kStart + 90});
  CHECK(middle.values.front() == 47 * 16);
  CHECK(middle.values.back() == 70 * 16 - 1);  // of 369 samples the last is given up for an even number
  CHECK(middle.clipped.size() == 2);
  const xf::Strain before = file.around(kStart + 44, {kStart + 30, kStart + 90});
  CHECK(before.values.front() == 40 * 16 + 4);
  CHECK(before.span.begin == doctest::Approx(kStart + 40 + 4.0 / 16));
  CHECK(before.values.back() == 45 * 16 - 1);
  CHECK(refusal(file, kStart + 46.5).find("gap from 1000000045 to 1000000047") != std::string::npos);
  CHECK(refusal(file, kStart + 40 + 3.5 / 16).find("no number at GPS") != std::string::npos);
}

TEST_CASE("fewer samples than there are seconds") {
  const xf::test::TemporaryFolder folder;
  auto content = numbered();
  content.sample_rate = 0.001;
  const xf::StrainFile sparse(xf::test::write_strain(folder / "sparse.hdf5", content));
  CHECK(refusal(sparse, kStart + 1400).find("no sample within 10 s") != std::string::npos);
  content.sample_rate = 0.6;  // a gap ends between two samples, and the trigger lies before the next one
  content.values.resize(60);
  content.mask.assign(100, 1);
  content.mask[0] = 0;
  const xf::StrainFile odd(xf::test::write_strain(folder / "odd.hdf5", content));
  CHECK(odd.around(kStart + 1, {kStart, kStart + 20}).values.front() == 1);
}

TEST_CASE("files of another layout are refused") {
  const xf::test::TemporaryFolder folder;
  CHECK_THROWS_AS(xf::StrainFile(folder / "none.hdf5"), xf::MissingInputError);
  {
    xf::hdf5::Writer empty(folder / "empty.hdf5");
    empty.group("/strain");
    empty.commit();
  }
  CHECK_THROWS_AS(xf::StrainFile(folder / "empty.hdf5"), xf::DataError);
  for (const double rate : {0.0, -4.0, kNan, std::numeric_limits<double>::infinity()}) {
    auto content = numbered();
    content.sample_rate = rate;
    CHECK_THROWS_AS(xf::StrainFile(xf::test::write_strain(folder / "rate.hdf5", content)), xf::DataError);
  }
  auto content = numbered();
  content.mask.assign(99, 1);
  CHECK_THROWS_AS(xf::StrainFile(xf::test::write_strain(folder / "mask.hdf5", content)), xf::DataError);
  content = numbered();
  content.start = 0;
  CHECK_THROWS_AS(xf::StrainFile(xf::test::write_strain(folder / "start.hdf5", content)), xf::DataError);
}
