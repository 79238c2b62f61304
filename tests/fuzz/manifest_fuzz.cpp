#include "engine/data/dataset.h"
#include "engine/data/split_file.h"
#include "tests/fuzz/fuzz.h"

using namespace xf;

void xf::fuzz::read(std::span<const uint8_t> input) {
  fuzz::read_or_refuse([&] {
    const std::filesystem::path manifest = fuzz::file_of("manifest.csv", input);
    const Dataset set = open_dataset(manifest);
    fuzz::require(!set.samples.empty() && !set.classes.empty());
    std::vector<Part> parts;
    for (const Sample& s : set.samples) {
      fuzz::require(s.label >= 0 && static_cast<size_t>(s.label) < set.classes.size());
      parts.push_back(s.part.value_or(static_cast<Part>(parts.size() % 3)));
    }
    const std::filesystem::path split = manifest.parent_path() / "split.csv";
    write_split(split, set, parts);
    fuzz::require(read_split(split, set) == parts);
  });
}
