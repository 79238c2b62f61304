#include <cmath>

#include "tests/fuzz/fuzz.h"
#include "tools/xferrun/data_options.h"
#include "tools/xferrun/run_folder.h"

void xf::fuzz::read(std::span<const uint8_t> input) {
  const std::filesystem::path folder = file_of("best.h5", {}).parent_path();
  file_of("config.json", input);
  file_of("calibration.json", input);
  read_or_refuse([&] { (void)xf::parse_view(xf::tool::view_of_run(xf::tool::open_run(folder), "")); });
  read_or_refuse([&] {
    const auto temperature = xf::tool::temperature_of(folder);
    require(temperature && *temperature > 0 && std::isfinite(*temperature));
  });
  try {
    xf::tool::RunFolder::check(folder, xf::tool::Replace::yes);
  } catch (const OutputExistsError&) {
  }
}
