#include "models/dialect.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  xf::fuzz::read_or_refuse([&] {
    const xf::Dialect d = xf::parse_dialect({reinterpret_cast<const char*>(data), size}, "file");
    xf::fuzz::require(xf::parse_dialect(xf::to_json(d), "file") == d);
  });
  return 0;
}
