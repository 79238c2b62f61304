#include "models/dialect.h"
#include "tests/fuzz/fuzz.h"

void xf::fuzz::read(std::span<const uint8_t> input) {
  xf::fuzz::read_or_refuse([&] {
    const xf::Dialect d =
        xf::parse_dialect({reinterpret_cast<const char*>(input.data()), input.size()}, "file");
    xf::fuzz::require(xf::parse_dialect(xf::to_json(d), "file") == d);
  });
}
