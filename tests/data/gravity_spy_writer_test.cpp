#include "engine/data/gravity_spy_writer.h"

#include <doctest/doctest.h>

#include <array>
#include <vector>

#include "engine/core/error.h"
#include "engine/io/csv.h"
#include "tests/support/temporary_folder.h"

TEST_CASE("a data set in Gravity Spy's layout is written with its metadata") {
  const xf::test::TemporaryFolder folder;
  const auto path = folder / "set.h5";
  constexpr size_t kPixels = size_t{xf::GravitySpyWriter::kRows} * xf::GravitySpyWriter::kColumns;
  std::array<std::vector<float>, 4> pictures;
  for (size_t i = 0; i < 4; ++i) pictures[i].assign(kPixels, 0.25F * static_cast<float>(i));
  {
    xf::GravitySpyWriter writer(path);
    writer.add({1126259462.5, 1126259462.9999996, "H1", 150, 140, 20, 0.25, 12.5, "abcDEF0123", "Blip",
                "validation", "Tomte"},
               pictures);
    writer.commit();
  }
  const xf::hdf5::File file(path);
  const std::string dataset = "/Blip/validation/abcDEF0123/2.0.png";
  CHECK(file.dims(dataset) == std::vector<int64_t>{1, 140, 170});
  CHECK(file.element_type(dataset) == "f32");
  CHECK(file.read<float>(dataset) == pictures[2]);
  CHECK(file.children("/Blip/validation/abcDEF0123") ==
        std::vector<std::string>{"0.5.png", "1.0.png", "2.0.png", "4.0.png"});
  const auto table = xf::io::read_csv(folder / "set_metadata.csv");
  REQUIRE(table.rows.size() == 1);
  const auto field = [&](const char* name) { return table.rows[0][table.column(name)]; };
  CHECK(field("event_time") == "1126259462.500000");
  CHECK(field("peak_time") == "1126259463");  // to the microsecond
  CHECK(field("peak_time_ns") == "0");
  CHECK(field("snr") == "12.5");
  CHECK(field("label") == "Blip");
  CHECK(field("sample_type") == "validation");
  CHECK(field("true_label") == "Tomte");
}

TEST_CASE("a data set that is not committed leaves nothing") {
  const xf::test::TemporaryFolder folder;
  { xf::GravitySpyWriter writer(folder / "set.h5"); }
  CHECK(std::filesystem::is_empty(folder.path()));
  CHECK_THROWS_AS(xf::GravitySpyWriter(folder / "none" / "set.h5"), xf::WriteError);
}
