#include "engine/signal/qscan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "engine/core/error.h"
#include "engine/core/threads.h"
#include "engine/signal/spectrogram.h"
#include "engine/signal/whiten.h"

namespace xf {
namespace {

constexpr double kBlockGrid = 8;
constexpr double kTaperSeconds = 1;
constexpr double kLeastRoom = 3;  // on both sides of a trigger
constexpr double kLeastBlock = 8;
constexpr double kLowestRate = 256;
constexpr double kSegmentSeconds = 2;  // of Welch's method

double checked_rate(const Strain& block) {
  if (block.sample_rate < kLowestRate)
    throw DataError("strain", fmt::format("{} samples a second are too few", block.sample_rate),
                    fmt::format("It needs {} or more.", kLowestRate));
  return block.sample_rate;
}

Series whitened_block(const Strain& block) {
  const double rate = checked_rate(block);
  const auto segment = 2 * static_cast<size_t>(std::lround(kSegmentSeconds * rate / 2));
  const double first = block.values.front();
  if (std::all_of(block.values.begin(), block.values.end(), [=](double x) { return x == first; }))
    throw DataError("strain",
                    fmt::format("does not change from GPS {} to {}", block.span.begin, block.span.end),
                    "Name another time.");
  return whiten(block.values, rate, welch_spectrum(block.values, rate, segment), kTaperSeconds);
}

/// Rows above the highest frequency of the strain stay dark.
EnergyMap with_dark_rows(EnergyMap map) {
  map.rows = kPictureRows;
  map.energy.resize(static_cast<size_t>(map.rows) * static_cast<size_t>(map.columns));
  return map;
}

/// As many of the picture's rows as reach from kLowestHz to `highest_hz`.
int rows_up_to(double highest_hz) {
  return static_cast<int>(
      std::lround(kPictureRows * std::log(highest_hz / kLowestHz) / std::log(kHighestHz / kLowestHz)));
}

/// A tile's window ends at f (1 + √11 / Q): above this frequency those of the lowest Q are cut off by the
/// Nyquist frequency.
double whole_tiles_below(double sample_rate) {
  return sample_rate / 2 / (1 + std::sqrt(11.0) / q_planes(kLowestQ, kHighestQ).front());
}

}  // namespace

GpsSpan block_around(double gps) {
  const double centre = std::round(gps / kBlockGrid) * kBlockGrid;
  return {centre - kBlockSeconds / 2, centre + kBlockSeconds / 2};
}

void require_room(const Strain& block, double gps) {
  const double before = gps - block.span.begin, after = block.span.end - gps;
  if (std::min(before, after) >= kLeastRoom && block.span.seconds() >= kLeastBlock) return;
  throw DataError(fmt::format("GPS {}", gps),
                  fmt::format("has {:.6g} s of strain before it and {:.6g} s after it ({})", before, after,
                              fmt::join(block.clipped, "; ")),
                  fmt::format("{} s are needed on both sides, and {} s in all.", kLeastRoom, kLeastBlock));
}

QScanner::QScanner(const Strain& block)
    : span_(block.span),
      highest_hz_(std::min(kHighestHz, checked_rate(block) / 2)),
      whitened_(whitened_block(block)),
      transform_({block.sample_rate, whitened_.size(), kLowestHz, highest_hz_, q_planes(kLowestQ, kHighestQ),
                  TileLevel::row_median}) {
  if (!block.clipped.empty())
    clipped_.push_back(fmt::format("the whitened block has {:.6g} s instead of {}: {}", span_.seconds(),
                                   kBlockSeconds, fmt::join(block.clipped, "; ")));
  const double whole = whole_tiles_below(block.sample_rate);
  if (whole < kHighestHz)
    clipped_.push_back(
        fmt::format("sampled at {} Hz: nothing is shown above {} Hz, and tiles above {:.0f} Hz "
                    "may be parts of tiles",
                    block.sample_rate, highest_hz_, whole));
}

QLook QScanner::look_at(double gps) const {
  const double centre = gps - span_.begin;
  QLook look{centre, kSearchSeconds, {}};
  for (const ShownDuration& shown : kShownDurations) {
    const int merged = static_cast<int>(std::ceil(shown.seconds / kFinestStep / kPictureColumns));
    look.windows.push_back({centre, shown.seconds, rows_up_to(highest_hz_), kPictureColumns * merged});
  }
  return look;
}

std::vector<QScan> QScanner::scan(std::span<const double> gps) const {
  std::vector<QLook> looks;
  for (const double t : gps) looks.push_back(look_at(t));
  std::vector<QScanned> scanned = transform_.scan(whitened_, looks);
  std::vector<QScan> result;
  for (size_t i = 0; i < gps.size(); ++i) {
    const LoudestTile& peak = scanned[i].peak;
    QScan one{gps[i], span_.begin + peak.seconds, peak.frequency, peak.energy, scanned[i].q, {}};
    parallel_for(static_cast<int64_t>(one.pictures.size()), [&](int64_t at) {
      const auto w = static_cast<size_t>(at);
      one.pictures[w] = draw_spectrogram(with_dark_rows(std::move(scanned[i].maps[w])), kPictureColumns);
    });
    result.push_back(std::move(one));
  }
  return result;
}

}  // namespace xf
