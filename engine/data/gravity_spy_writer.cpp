#include "engine/data/gravity_spy_writer.h"

#include <fmt/format.h>

#include <cmath>
#include <vector>

#include "engine/io/atomic_file.h"
#include "engine/io/csv.h"

namespace xf {
namespace {

constexpr std::array<const char*, 4> kNames = {"0.5.png", "1.0.png", "2.0.png", "4.0.png"};

std::string row_of(const GlitchMetadata& g) {
  const int64_t peak = std::llround(1e6 * g.peak_time);  // microseconds
  const std::vector<std::string> fields = {fmt::format("{:.6f}", g.event_time),
                                           g.ifo,
                                           std::to_string(peak / 1000000),
                                           std::to_string(peak % 1000000 * 1000),
                                           fmt::format("{:.6g}", g.peak_frequency),
                                           fmt::format("{:.6g}", g.central_freq),
                                           fmt::format("{:.6g}", g.bandwidth),
                                           fmt::format("{:.6g}", g.duration),
                                           fmt::format("{:.6g}", g.snr),
                                           g.gravityspy_id,
                                           g.label,
                                           g.sample_type,
                                           g.true_label};
  return io::csv_line(fields);
}

}  // namespace

std::filesystem::path GravitySpyWriter::metadata_file(const std::filesystem::path& file) {
  return file.parent_path() / (file.stem().string() + "_metadata.csv");
}

GravitySpyWriter::GravitySpyWriter(const std::filesystem::path& file)
    : pictures_(file), metadata_(metadata_file(file)) {
  const std::vector<std::string> header = {
      "event_time", "ifo", "peak_time",     "peak_time_ns", "peak_frequency", "central_freq", "bandwidth",
      "duration",   "snr", "gravityspy_id", "label",        "sample_type",    "true_label"};
  table_ = io::csv_line(header);
}

void GravitySpyWriter::add(const GlitchMetadata& glitch, std::span<const std::vector<float>, 4> pictures) {
  const std::string group = fmt::format("/{}/{}/{}/", glitch.label, glitch.sample_type, glitch.gravityspy_id);
  constexpr std::array<int64_t, 3> kDims = {1, kRows, kColumns};
  for (size_t i = 0; i < pictures.size(); ++i)
    pictures_.dataset(group + kNames[i], kDims, std::span<const float>(pictures[i]));
  table_ += row_of(glitch);
}

void GravitySpyWriter::commit() {
  io::AtomicFile table(metadata_);
  table.write(table_);
  pictures_.commit();
  table.commit();
}

}  // namespace xf
