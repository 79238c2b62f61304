#include "engine/core/log.h"
#include "tests/fuzz/fuzz.h"

// In place of the library's: what is said of each input would drown what the fuzzer says.
void xf::log::write(Level, std::string_view) {}

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  xf::fuzz::read({data, size});
  return 0;
}
