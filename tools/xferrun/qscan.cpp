#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/core/error.h"
#include "engine/core/log.h"
#include "engine/core/threads.h"
#include "engine/io/atomic_file.h"
#include "engine/io/image.h"
#include "engine/signal/qscan.h"
#include "engine/signal/triggers.h"
#include "tools/xferrun/command.h"
#include "tools/xferrun/command_line.h"
#include "tools/xferrun/progress.h"

namespace fs = std::filesystem;

namespace xf::tool {

namespace {

struct QScanOptions {
  std::string strain, triggers, out;
  double gps = 0;
  int threads = 0;
  bool force = false, json = false;
};

/// H1_1126259462.42_spectrogram_0.5.png
fs::path picture_path(const fs::path& folder, const std::string& detector, double gps,
                      const ShownDuration& shown) {
  return folder / fmt::format("{}_{}_spectrogram_{}.png", detector, gps, shown.name);
}

bool is_picture(const fs::path& file) {
  try {
    const io::Image image = io::read_image(file);
    return image.width == kPictureColumns && image.height == kPictureRows;
  } catch (const Error&) {
    return false;
  }
}

void check_pictures(const QScanOptions& o, const std::string& detector, const std::vector<double>& triggers) {
  std::error_code none;
  for (const double gps : triggers) {
    for (const ShownDuration& shown : kShownDurations) {
      const fs::path file = picture_path(o.out, detector, gps, shown);
      if (!fs::exists(fs::symlink_status(file, none))) continue;
      if (!o.force)
        throw OutputExistsError(file.string(), "exists already",
                                "choose another --out, or --force to replace earlier pictures");
      if (!is_picture(file))
        throw OutputExistsError(file.string(), "was not written by this command: --force does not replace it",
                                "choose another --out");
    }
  }
}

std::vector<std::string> write_pictures(const fs::path& folder, const std::string& detector,
                                        const QScan& scan) {
  std::vector<std::string> files(kShownDurations.size());
  parallel_for(static_cast<int64_t>(files.size()), [&](int64_t at) {
    const auto i = static_cast<size_t>(at);
    const fs::path file = picture_path(folder, detector, scan.gps, kShownDurations[i]);
    io::write_png(file, scan.pictures[i]);
    files[i] = file.string();
  });
  return files;
}

/// What there is to say of one trigger: its scan, or why there is none.
struct Report {
  double gps = 0;
  std::optional<DataError> failure;
  QScan scan;  ///< without its pictures, which are files
  GpsSpan block;
  std::vector<std::string> clipped, files;
};

nlohmann::ordered_json to_json(const Report& r, const std::string& detector) {
  nlohmann::ordered_json j{{"ifo", detector}, {"gps", r.gps}};
  if (r.failure) {
    j["error"] = r.failure->what();
    return j;
  }
  j["peak_time"] = r.scan.peak_gps;
  j["peak_frequency"] = r.scan.peak_hz;
  j["peak_energy"] = r.scan.peak_energy;
  j["q"] = r.scan.q;
  j["block"] = {r.block.begin, r.block.end};
  j["clipped"] = r.clipped;
  j["pictures"] = r.files;
  return j;
}

std::string to_line(const Report& r) {
  if (r.failure) return fmt::format("{:<20} left out: {}", r.gps, r.failure->what());
  return fmt::format("{:<20} {:<20.4f} {:>9.1f} {:>9.1f} {:>6.1f}", r.gps, r.scan.peak_gps, r.scan.peak_hz,
                     r.scan.peak_energy, r.scan.q);
}

constexpr size_t kScansAtOnce = 32;  // of those that share a block: what they hold is bounded

/// Scans the triggers that one stretch of strain serves. Failures of one are noted, those of all too.
void scan_stretch(const QScanOptions& o, const std::string& detector, const Strain& strain,
                  std::span<Report> reports) {
  std::vector<Report*> good;
  for (Report& r : reports) {
    try {
      require_room(strain, r.gps);
      good.push_back(&r);
    } catch (const DataError& e) {
      r.failure = e;
    }
  }
  if (good.empty()) return;
  std::optional<QScanner> scanner;
  try {
    scanner.emplace(strain);
  } catch (const DataError& e) {
    for (Report* r : good) r->failure = e;
    return;
  }
  for (size_t first = 0; first < good.size(); first += kScansAtOnce) {
    std::vector<double> gps;
    for (size_t i = first; i < std::min(good.size(), first + kScansAtOnce); ++i) gps.push_back(good[i]->gps);
    std::vector<QScan> scans = scanner->scan(gps);
    for (size_t i = 0; i < scans.size(); ++i) {
      Report& r = *good[first + i];
      r.files = write_pictures(o.out, detector, scans[i]);
      r.block = scanner->span();
      r.clipped = scanner->clipped();
      r.scan = std::move(scans[i]);
      r.scan.pictures = {};
    }
  }
}

/// Triggers of one block, ascending. Where an interruption parts it, each part is one stretch.
void scan_block(const QScanOptions& o, const StrainFile& file, std::span<Report> reports) {
  while (!reports.empty()) {
    const double gps = reports.front().gps;
    size_t count = 1;
    try {
      const Strain strain = file.around(gps, block_around(gps));
      while (count < reports.size() && strain.span.holds(reports[count].gps)) ++count;
      scan_stretch(o, file.detector(), strain, reports.first(count));
    } catch (const DataError& e) {
      reports.front().failure = e;
    }
    reports = reports.subspan(count);
  }
}

/// The parts of `reports` that share a block.
std::vector<std::span<Report>> by_block(std::span<Report> reports) {
  std::vector<std::span<Report>> blocks;
  while (!reports.empty()) {
    const double begin = block_around(reports.front().gps).begin;
    size_t count = 1;
    while (count < reports.size() && block_around(reports[count].gps).begin == begin) ++count;
    blocks.push_back(reports.first(count));
    reports = reports.subspan(count);
  }
  return blocks;
}

void print(const QScanOptions& o, const std::string& detector, std::span<const Report> reports) {
  for (const Report& r : reports) print_line(o.json ? json_text(to_json(r, detector)) : to_line(r));
}

/// All triggers, as many blocks at once as there are threads; results are printed in order of time.
void scan_all(const QScanOptions& o, const StrainFile& file, std::span<Report> reports) {
  Progress progress("scanning", "triggers");
  const std::vector<std::span<Report>> blocks = by_block(reports);
  const auto at_once = static_cast<size_t>(threads());
  int64_t done = 0;
  for (size_t first = 0; first < blocks.size(); first += at_once) {
    const size_t count = std::min(at_once, blocks.size() - first);
    parallel_for(static_cast<int64_t>(count),
                 [&](int64_t i) { scan_block(o, file, blocks[first + static_cast<size_t>(i)]); });
    if (reports.size() == 1 && reports.front().failure) return;  // the error says it
    if (!o.json && first == 0)
      print_line(fmt::format("{:<20} {:<20} {:>9} {:>9} {:>6}", "GPS", "peak", "Hz", "energy", "Q"));
    for (size_t i = first; i < first + count; ++i) {
      print(o, file.detector(), blocks[i]);
      done += static_cast<int64_t>(blocks[i].size());
    }
    progress.update(done, static_cast<int64_t>(reports.size()), "");
  }
}

/// Throws the first failure when there is nothing else, and otherwise tells how many there are.
void settle_failures(const std::vector<Report>& reports) {
  const auto failed = [](const Report& r) { return r.failure.has_value(); };
  const auto count = std::count_if(reports.begin(), reports.end(), failed);
  if (count == static_cast<std::ptrdiff_t>(reports.size())) throw DataError(*reports.front().failure);
  if (count > 0) log::warning("{} of {} triggers were left out", count, reports.size());
  const auto shown = std::find_if_not(reports.begin(), reports.end(), failed);
  for (const std::string& what : shown->clipped) log::warning("GPS {}: {}", shown->gps, what);
}

std::vector<double> triggers_of(const QScanOptions& o, const StrainFile& file) {
  if (o.triggers.empty()) {
    file.require_data_at(o.gps);
    return {o.gps};
  }
  TriggerList list = read_triggers(o.triggers, file.detector());
  if (list.of_other_detectors > 0)
    log::info("{} triggers of other detectors than {} are left out", list.of_other_detectors,
              file.detector());
  return std::move(list.gps);
}

void run(const QScanOptions& o) {
  if (o.threads > 0) set_threads(o.threads);
  const StrainFile file(o.strain);
  for (const GpsSpan& gap : file.gaps())
    log::info("{}: no data from GPS {} to {}", o.strain, gap.begin, gap.end);
  const std::vector<double> triggers = triggers_of(o, file);
  check_pictures(o, file.detector(), triggers);
  io::make_folder(o.out);
  std::vector<Report> reports(triggers.size());
  for (size_t i = 0; i < triggers.size(); ++i) reports[i].gps = triggers[i];
  scan_all(o, file, reports);
  settle_failures(reports);
}

}  // namespace

void add_qscan(CLI::App& app) {
  CLI::App& command =
      add_command(app, "qscan", "draw a trigger's spectrograms of 0.5, 1, 2 and 4 s from detector strain",
                  "xferrun qscan H-H1_LOSC_4_V2-1126259446-32.hdf5 --gps 1126259462.42 --out pictures");
  const auto o = std::make_shared<QScanOptions>();
  command.add_option("strain", o->strain, "an HDF5 file of gwosc.org")->required();
  auto* gps = command.add_option("--gps", o->gps, "the trigger's GPS time")->check(above_zero());
  auto* triggers = command.add_option(
      "--triggers", o->triggers,
      "a CSV file of triggers instead, with a column event_time, time or gps; of several detectors where it "
      "has a column ifo");
  gps->excludes(triggers);
  command.add_option("--out", o->out, "a folder for IFO_GPS_spectrogram_DURATION.png")->required();
  command.add_flag("--force", o->force, "replace earlier pictures of the same triggers, and nothing else");
  command.add_flag("--json", o->json, "one JSON line a trigger: peak, Q, block, what was clipped, pictures");
  command.add_option("--threads", o->threads, "default: every usable core")->check(CLI::PositiveNumber);
  command.callback([o, gps, triggers] {
    if (gps->count() + triggers->count() == 0)
      throw UsageError("qscan", "needs a trigger", "give --gps or --triggers");
    run(*o);
  });
}

}  // namespace xf::tool
