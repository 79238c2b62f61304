#include "engine/io/csv.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "engine/core/error.h"
#include "engine/io/atomic_file.h"
#include "tests/support/temporary_folder.h"

namespace {
xf::io::CsvTable parse(const std::string& text) {
  const xf::test::TemporaryFolder folder;
  xf::io::write_file(folder / "t.csv", text);
  return xf::io::read_csv(folder / "t.csv");
}
using Row = std::vector<std::string>;
}  // namespace

TEST_CASE("quotes, line breaks, CRLF, byte order mark, empty lines") {
  const auto t = parse("\xEF\xBB\xBFpath,label\r\n\"a,b\",\"say \"\"hi\"\"\"\r\n\n\"two\nlines\",\nlast,x");
  CHECK(t.header == Row{"path", "label"});
  REQUIRE(t.rows.size() == 3);
  CHECK(t.rows[0] == Row{"a,b", "say \"hi\""});
  CHECK(t.rows[1] == Row{"two\nlines", ""});
  CHECK(t.rows[2] == Row{"last", "x"});
  CHECK(t.lines == std::vector<int64_t>{2, 4, 6});
  CHECK(t.column("label") == 1);
  CHECK_FALSE(t.find("id"));
}

TEST_CASE("errors name the file and the line") {
  CHECK_THROWS_WITH_AS(parse("a,b\n1,2\n3\n"), doctest::Contains("t.csv:3: 1 fields where the header has 2"),
                       xf::DataError);
  CHECK_THROWS_WITH_AS(parse("a\n1\n\"x\n\n"), doctest::Contains("t.csv:3: a quoted field is never closed"),
                       xf::DataError);
  CHECK_THROWS_WITH_AS(parse("a\n\"x\"y\n"), doctest::Contains("t.csv:2"), xf::DataError);
  CHECK_THROWS_WITH_AS((void)parse("").column("a"), doctest::Contains("is empty"), xf::DataError);
  CHECK_THROWS_WITH_AS((void)parse("a\n").column("label"), doctest::Contains("no column \"label\""),
                       xf::DataError);
  CHECK_THROWS_AS(xf::io::read_csv("/nonexistent.csv"), xf::MissingInputError);
  CHECK_THROWS_AS(xf::io::read_csv("/"), xf::MissingInputError);
}

TEST_CASE("what is written is read back") {
  const std::vector<Row> rows = {{"h"}, {""}, {"a,b"}, {"q\"q"}, {"two\r\nlines"}, {"plain"}};
  std::string text;
  for (const Row& r : rows) text += xf::io::csv_line(r);
  const auto t = parse(text);
  CHECK(t.header == rows[0]);
  CHECK(t.rows == std::vector<Row>(rows.begin() + 1, rows.end()));
  CHECK(xf::io::csv_line(Row{"a", "b c"}) == "a,b c\n");
}
