#include "tests/fuzz/dataset_check.h"

void xf::fuzz::read(std::span<const uint8_t> input) {
  read_or_refuse([&] { check_dataset(open_dataset(file_of("manifest.csv", input))); });
}
