#include <set>

#include "engine/data/scan.h"
#include "engine/io/atomic_file.h"
#include "engine/io/csv.h"
#include "tests/data/gravity_spy_files.h"
#include "tests/fuzz/dataset_check.h"
#include "tests/fuzz/hdf5_choice.h"

using namespace xf;
using fuzz::Choice;

namespace {

std::string id(Choice& choose) { return fuzz::word(choose, {"a", "b", "c", "d", "0Sug0tqkoL"}); }

void add_glitch(hdf5::Writer& file, Choice& choose, const std::string& glitch) {
  for (const char* name : {"0.5.png", "1.0.png", "2.0.png", "4.0.png", "8.0.png"}) {
    if (fuzz::oddly(choose) == (std::string_view(name) != "8.0.png")) continue;
    const std::vector<int64_t> whole{1, test::kSpectrogramRows, test::kSpectrogramColumns};
    fuzz::add_numbers(file, choose, glitch + "/" + name,
                      fuzz::oddly(choose) ? fuzz::any_dims(choose, 9) : whole, {0, 0.25, 1});
  }
}

void fill(hdf5::Writer& file, Choice& choose) {
  std::set<std::string> glitches;
  for (int i = choose.ConsumeIntegralInRange(0, 8); i > 0; --i) {
    const std::string label = fuzz::word(choose, {"Blip", "Chirp", "Whistle"});
    const std::string part = fuzz::word(choose, {"train", "validation", "test"});
    const std::string glitch = fmt::format("/{}/{}/{}", label, part, id(choose));
    if (glitches.insert(glitch).second) add_glitch(file, choose, glitch);
  }
  if (fuzz::oddly(choose)) file.group("/Crown/" + fuzz::word(choose, {"train", "more"}));
  if (fuzz::oddly(choose)) fuzz::add_numbers(file, choose, "/version", {}, {1});
}

std::string field(Choice& choose, const std::string& column) {
  if (column == "event_time") return fuzz::word(choose, {"1126259462.4", "1e9", "2e9", ""});
  if (column == "gravityspy_id") return id(choose);
  if (column == "label") return fuzz::word(choose, {"Blip", "Chirp", ""});
  return fuzz::word(choose, {"train", "validation", "test", ""});
}

std::string metadata(Choice& choose) {
  std::vector<std::string> columns;
  for (const char* name : {"event_time", "ifo", "gravityspy_id", "label", "sample_type"})
    if (!fuzz::oddly(choose)) columns.emplace_back(name);
  std::string text = io::csv_line(columns);
  for (int row = choose.ConsumeIntegralInRange(0, 8); row > 0; --row) {
    std::vector<std::string> fields = columns;
    for (std::string& one : fields) one = field(choose, one);
    text += io::csv_line(fields);
  }
  return text;
}

}  // namespace

void xf::fuzz::read(std::span<const uint8_t> input) {
  Choice choose(input.data(), input.size());
  const auto file = write_hdf5("glitches.h5", [&](hdf5::Writer& to) { fill(to, choose); });
  if (!file) return;
  OpenOptions options;
  if (choose.ConsumeBool()) {
    options.metadata = file->parent_path() / "metadata.csv";
    io::write_file(options.metadata, metadata(choose));
  }
  options.on_bad_image = choose.ConsumeBool() ? OnBadImage::skip : OnBadImage::fail;
  read_or_refuse([&] {
    options.view = parse_view(one_of(choose, {"", "single:1.0", "merged", "stack:0.5,1.0,4.0", "all"}));
    Dataset data = open_dataset(*file, options);
    check_dataset(data);
    settle_bad_images(options.on_bad_image, scan(data), data);
  });
}
