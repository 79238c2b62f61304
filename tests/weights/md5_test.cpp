#include "weights/md5.h"

#include <doctest/doctest.h>

#include <string>

#include "engine/core/error.h"
#include "engine/io/atomic_file.h"
#include "tests/support/temporary_folder.h"

namespace {
std::string md5_of(const std::string& text) { return xf::weights::md5(std::as_bytes(std::span(text))); }
}  // namespace

TEST_CASE("md5 gives the answers of RFC 1321") {
  CHECK(md5_of("") == "d41d8cd98f00b204e9800998ecf8427e");
  CHECK(md5_of("abc") == "900150983cd24fb0d6963f7d28e17f72");
  CHECK(md5_of("12345678901234567890123456789012345678901234567890123456789012345678901234567890") ==
        "57edf4a22be3c955ac49da2e2107b67a");
}

TEST_CASE("md5 does not depend on the pieces") {
  const std::string text(1000, 'x');
  for (size_t size = 1; size < 130; ++size) {
    xf::weights::Md5 sum;
    for (size_t at = 0; at < text.size(); at += size) {
      sum.add(std::as_bytes(std::span(text)).subspan(at, std::min(size, text.size() - at)));
    }
    REQUIRE(sum.finish() == md5_of(text));
  }
  const xf::test::TemporaryFolder folder;
  xf::io::write_file(folder / "f", text);
  CHECK(xf::weights::md5_of_file(folder / "f") == md5_of(text));
  CHECK_THROWS_AS(xf::weights::md5_of_file(folder / "g"), xf::MissingInputError);
}
