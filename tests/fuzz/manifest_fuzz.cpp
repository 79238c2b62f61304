#include <map>

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
    std::map<std::string, Part> part_of;  // a glitch is in one
    for (const Sample& s : set.samples) {
      fuzz::require(s.label >= 0 && static_cast<size_t>(s.label) < set.classes.size());
      const auto free = static_cast<Part>(part_of.size() % 3);
      parts.push_back(part_of.emplace(s.glitch, s.part.value_or(free)).first->second);
    }
    const std::filesystem::path split = manifest.parent_path() / "split.csv";
    write_split(split, set, parts);
    fuzz::require(read_split(split, set) == parts);
  });
}
