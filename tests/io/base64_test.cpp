#include "engine/io/base64.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

TEST_CASE("base64 has the test vectors of RFC 4648") {
  const auto encoded = [](std::string_view text) {
    return xf::io::base64({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  };
  CHECK(encoded("").empty());
  CHECK(encoded("f") == "Zg==");
  CHECK(encoded("fo") == "Zm8=");
  CHECK(encoded("foo") == "Zm9v");
  CHECK(encoded("foobar") == "Zm9vYmFy");
  CHECK(encoded("\xff\xfe\xfd") == "//79");
}
