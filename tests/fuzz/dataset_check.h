#pragma once
// What holds of every data set that is accepted.

#include <map>
#include <string>
#include <vector>

#include "engine/data/dataset.h"
#include "engine/data/split.h"
#include "engine/data/split_file.h"
#include "tests/fuzz/fuzz.h"

namespace xf::fuzz {

/// Its labels are classes, a split of it survives being written and read again, and drawn ones keep glitches
/// whole, unless they are refused.
inline void check_dataset(const Dataset& set) {
  require(!set.samples.empty() && !set.classes.empty());
  std::vector<Part> parts;
  std::map<std::string, Part> part_of;  // a glitch is in one
  for (const Sample& s : set.samples) {
    require(s.label >= 0 && static_cast<size_t>(s.label) < set.classes.size());
    const auto free = static_cast<Part>(part_of.size() % 3);
    parts.push_back(part_of.emplace(s.glitch, s.part.value_or(free)).first->second);
  }
  const std::filesystem::path split = set.source.parent_path() / "split.csv";
  accept([&] {
    write_split(split, set, parts);
    require(read_split(split, set) == parts);
  });
  std::vector<Part> drawn;
  read_or_refuse([&] { drawn = make_split(set, {}); });
  if (!drawn.empty()) accept([&] { check_split(set, drawn, split); });
}

}  // namespace xf::fuzz
