#include <algorithm>

#include "engine/data/metadata.h"
#include "engine/data/split_file.h"
#include "engine/signal/triggers.h"
#include "tests/fuzz/fuzz.h"
#include "tools/xferrun/done_list.h"

using namespace xf;

namespace {

/// Two glitches, which the seeds name.
Dataset two_glitches() {
  Dataset data{.source = "data", .classes = {"Blip", "Chirp"}};
  for (const char* id : {"a", "b"})
    data.samples.push_back({.images = {{id}},
                            .name = std::string(id) + ".png",
                            .label = static_cast<int32_t>(data.samples.size()),
                            .glitch = id});
  return data;
}

void read_state(const std::filesystem::path& file) {
  const std::string path = "new\n\\line";
  const tool::FileVersion version{1, 2};
  tool::DoneList(file).add(path, version);
  fuzz::require(tool::DoneList(file).has(path, version));
}

}  // namespace

void xf::fuzz::read(std::span<const uint8_t> input) {
  const std::filesystem::path table = file_of("table.csv", input);
  read_or_refuse([&] {
    Dataset data = two_glitches();
    join_metadata(data, table);
  });
  read_or_refuse([&] { require(read_split(table, two_glitches()).size() == 2); });
  read_or_refuse([&] {
    const TriggerList list = read_triggers(table, "H1");
    require(!list.gps.empty() && list.gps.front() > 0);
    require(std::adjacent_find(list.gps.begin(), list.gps.end(), std::greater_equal<>()) == list.gps.end());
  });
  read_or_refuse([&] { read_state(file_of("state", input)); });
}
