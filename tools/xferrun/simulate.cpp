#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/core/error.h"
#include "engine/core/threads.h"
#include "engine/data/gravity_spy_writer.h"
#include "engine/signal/catalogue.h"
#include "engine/signal/gravity_spy.h"
#include "tools/xferrun/command.h"
#include "tools/xferrun/command_line.h"
#include "tools/xferrun/hdf5_output.h"
#include "tools/xferrun/progress.h"
#include "tools/xferrun/version.h"

namespace fs = std::filesystem;

namespace xf::tool {

namespace {

struct SimulateOptions {
  CatalogueOptions catalogue;
  std::vector<std::string> late;
  std::string out;
  int64_t per_class = 0;
  int threads = 0;
  bool force = false, json = false;
};

constexpr const char* kWrittenBy = "xferrun_simulate";  // attribute: the version that wrote the file

LateClass parse_late_class(const std::string& text) {
  const size_t colon = text.rfind(':');
  LateClass late{text.substr(0, colon), 0};
  const char* end = text.data() + text.size();
  const char* number = colon == std::string::npos ? end : text.data() + colon + 1;
  const auto [stop, error] = std::from_chars(number, end, late.fraction);
  if (error != std::errc() || stop != end)
    throw UsageError("--late-class " + text, "is not a class and a fraction", "Write NAME:0.5.");
  return late;
}

GlitchMetadata metadata_of(const CatalogueEntry& entry, const GravitySpyGlitch& glitch) {
  GlitchMetadata m;
  m.event_time = entry.gps;
  m.peak_time = entry.gps + glitch.peak_seconds;
  m.ifo = entry.detector;
  m.peak_frequency = glitch.peak_hz;
  m.central_freq = glitch.central_hz;
  m.bandwidth = glitch.bandwidth_hz;
  m.duration = glitch.seconds;
  m.snr = glitch.snr;
  m.gravityspy_id = entry.id;
  m.label = entry.label;
  m.sample_type = name(entry.type);
  m.true_label = entry.true_label;
  return m;
}

void check_metadata_file(const SimulateOptions& o) {
  const fs::path table = GravitySpyWriter::metadata_file(o.out);
  std::error_code none;
  if (!fs::exists(fs::symlink_status(table, none))) return;
  if (!o.force || !fs::exists(o.out, none))  // without the pictures, nothing says that the table is ours
    throw OutputExistsError(table.string(), "exists already", "choose another --out");
}

/// Draws and writes the entries, some at a time: their pictures take 0.4 MB each.
void write(const SimulateOptions& o, const std::vector<CatalogueEntry>& entries, GravitySpyWriter& file) {
  constexpr size_t kAtOnce = 64;
  Progress progress("simulating", "glitches");
  for (size_t first = 0; first < entries.size(); first += kAtOnce) {
    const size_t count = std::min(kAtOnce, entries.size() - first);
    std::vector<GravitySpyGlitch> glitches(count);
    parallel_for(static_cast<int64_t>(count), [&](int64_t at) {
      const auto i = static_cast<size_t>(at);
      const CatalogueEntry& entry = entries[first + i];
      glitches[i] = simulate_gravity_spy(entry.true_label, o.catalogue.seed, entry.index);
    });
    for (size_t i = 0; i < count; ++i)
      file.add(metadata_of(entries[first + i], glitches[i]), glitches[i].pictures);
    progress.update(static_cast<int64_t>(first + count), static_cast<int64_t>(entries.size()), "");
  }
}

void print_summary(const SimulateOptions& o, const std::vector<CatalogueEntry>& entries) {
  std::map<std::string, int64_t> counts;
  int64_t wrong = 0;
  for (const CatalogueEntry& entry : entries) {
    ++counts[entry.true_label];
    wrong += entry.label != entry.true_label ? 1 : 0;
  }
  const std::string table = GravitySpyWriter::metadata_file(o.out).string();
  if (o.json) {
    nlohmann::ordered_json j{
        {"glitches", entries.size()}, {"wrong_labels", wrong}, {"classes", nlohmann::json::array()}};
    for (const auto& [label, count] : counts) j["classes"].push_back({{"label", label}, {"glitches", count}});
    j["file"] = o.out;
    j["metadata"] = table;
    print_line(json_text(j));
    return;
  }
  for (const auto& [label, count] : counts) print_line(fmt::format("{:<20} {:>6}", label, count));
  print_line(fmt::format("{} glitches, {} of them with a wrong label, written to {} and {}", entries.size(),
                         wrong, o.out, table));
}

void run(SimulateOptions o) {
  if (o.threads > 0) set_threads(o.threads);
  if (o.per_class > 0) o.catalogue.per_class = o.per_class;
  for (const std::string& text : o.late) o.catalogue.late.push_back(parse_late_class(text));
  const std::vector<CatalogueEntry> entries = make_catalogue(o.catalogue);
  check_output(o.out, o.force, {kWrittenBy, "simulated data", "this command"});
  check_metadata_file(o);
  GravitySpyWriter file(o.out);
  write(o, entries, file);
  file.attribute(kWrittenBy, version_number());
  file.attribute("catalogue_version", std::to_string(kCatalogueVersion));
  file.commit();
  print_summary(o, entries);
}

}  // namespace

void add_simulate(CLI::App& app) {
  CLI::App& command = add_command(
      app, "simulate", "make labelled glitches of Gravity Spy's classes, in the layout of its training set",
      "xferrun simulate --out sim.h5 --count 4000 --wrong-labels 0.03 --late-class Whistle:0.6");
  const auto o = std::make_shared<SimulateOptions>();
  command
      .add_option("--out", o->out,
                  "the HDF5 file to write; OUT_metadata.csv appears beside it, with true_label: what each is")
      ->required();
  command.add_flag("--force", o->force, "replace earlier simulated data in --out, and nothing else");
  auto* count = command
                    .add_option("--count", o->catalogue.count,
                                "glitches of all classes, in the proportions of the public training set")
                    ->check(CLI::PositiveNumber)
                    ->capture_default_str();
  command.add_option("--per-class", o->per_class, "glitches of each class instead")
      ->check(CLI::PositiveNumber)
      ->excludes(count);
  command
      .add_option("--classes", o->catalogue.classes, "some of the 22 classes and Reverse_Chirp; default: all")
      ->delimiter(',');
  command
      .add_option("--wrong-labels", o->catalogue.wrong_labels, "the fraction that gets another class's label")
      ->check(between(0, 0.9))
      ->capture_default_str();
  command.add_option("--late-class", o->late,
                     "NAME:FRACTION: there is none of this class in the first FRACTION of the run");
  command.add_option("--start", o->catalogue.start, "GPS time at which the run begins")
      ->check(above_zero())
      ->capture_default_str();
  command.add_option("--seconds", o->catalogue.seconds, "the run's length")
      ->check(above_zero())
      ->capture_default_str();
  command.add_option("--seed", o->catalogue.seed, "the same seed gives the same files")
      ->capture_default_str();
  command.add_option("--threads", o->threads, "default: every usable core")->check(CLI::PositiveNumber);
  command.add_flag("--json", o->json, "one JSON document: how many of which class");
  command.callback([o] { run(*o); });
}

}  // namespace xf::tool
