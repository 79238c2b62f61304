#include "engine/signal/qtransform.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numbers>
#include <utility>

#include "engine/core/error.h"
#include "engine/core/threads.h"

namespace xf {
namespace {

constexpr double kMismatch = 0.2;
const double kTileStep =
    2.0 * std::sqrt(kMismatch / 3.0);  // largest distance between tiles, in Chatterji's metric

/// Catmull–Rom weights of the four neighbours of a point `x` in [0, 1) between the middle two.
std::array<double, 4> cubic_weights(double x) {
  return {0.5 * x * (-1 + x * (2 - x)), 0.5 * (2 + x * x * (-5 + 3 * x)), 0.5 * x * (1 + x * (4 - 3 * x)),
          0.5 * x * x * (x - 1)};
}

}  // namespace

std::vector<double> q_planes(double lowest, double highest) {
  const double distance = std::log(highest / lowest) / std::numbers::sqrt2;
  const int count = std::max(1, static_cast<int>(std::ceil(distance / kTileStep)));
  std::vector<double> planes;
  planes.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) {
    planes.push_back(lowest * std::exp(std::numbers::sqrt2 * distance * (i + 0.5) / count));
  }
  return planes;
}

/// The times of which energies are kept, and those among them whose loudest counts.
struct QTransform::Reach {
  double begin = 0, end = 0, search_begin = 0, search_end = 0;
  explicit Reach(const QWindow& window) : Reach(QLook{window.centre, window.duration, {}}) {}
  explicit Reach(const QLook& look)
      : begin(look.centre - look.search / 2),
        end(look.centre + look.search / 2),
        search_begin(begin),
        search_end(end) {
    for (const QWindow& window : look.windows) {
      begin = std::min(begin, window.centre - window.duration / 2);
      end = std::max(end, window.centre + window.duration / 2);
    }
  }
};

/// The energies of one plane's tiles, row by row, for the times in reach.
struct QTransform::Tiles {
  struct Row {
    std::ptrdiff_t first;  ///< time index of energy[0]; may be negative: the transform is periodic
    std::vector<double> energy;
    LoudestTile peak;
  };
  std::vector<Row> rows;
  [[nodiscard]] LoudestTile peak() const {
    return std::max_element(rows.begin(), rows.end(),
                            [](const Row& a, const Row& b) { return a.peak.energy < b.peak.energy; })
        ->peak;
  }
};

QTransform::QTransform(QTransformOptions options) : options_(std::move(options)) {
  const double nyquist = options_.sample_rate / 2.0;
  const double seconds = static_cast<double>(options_.samples) / options_.sample_rate;
  if (options_.samples < 4 || options_.samples % 2 != 0 || !(options_.lowest_hz > 0) ||
      !(options_.highest_hz > options_.lowest_hz) || options_.highest_hz > nyquist || options_.q.empty()) {
    throw UsageError(
        "Q transform",
        fmt::format("{} samples at {} Hz cannot be shown from {} to {} Hz in {} planes", options_.samples,
                    options_.sample_rate, options_.lowest_hz, options_.highest_hz, options_.q.size()),
        "use an even number of samples, frequencies up to half the sample rate and one Q or more");
  }
  const double bins_per_hz = seconds;
  for (const double q : options_.q) {
    // Below √11 a tile would reach across zero frequency.
    if (!(q > std::sqrt(11.0))) throw UsageError("Q transform", fmt::format("Q {} is not above 3.32", q));
    Plane plane{q, {}};
    const double per_log_hz = std::sqrt(2.0 + q * q) / 2.0;
    const double distance = std::log(options_.highest_hz / options_.lowest_hz) * per_log_hz;
    const int count = static_cast<int>(std::ceil(distance / kTileStep));
    for (int i = 0; i < count; ++i) {
      Row row;
      row.frequency = options_.lowest_hz * std::exp(distance * (i + 0.5) / count / per_log_hz);
      const double half_width = row.frequency * std::sqrt(11.0) / q;
      row.first_bin = static_cast<size_t>(std::ceil((row.frequency - half_width) * bins_per_hz));
      // The window of the highest rows ends at the Nyquist frequency.
      const auto last_bin =
          static_cast<size_t>(std::min((row.frequency + half_width) * bins_per_hz, nyquist * bins_per_hz));
      double power = 0;
      for (size_t k = row.first_bin; k <= last_bin; ++k) {
        const double x = (static_cast<double>(k) / bins_per_hz - row.frequency) / half_width;
        const double weight = (1 - x * x) * (1 - x * x);
        row.window.push_back(weight);
        power += weight * weight;
      }
      if (!(power > 0)) {
        throw UsageError("Q transform",
                         fmt::format("{} s are too short for Q {} at {:.1f} Hz", seconds, q, row.frequency),
                         "use a longer series or a higher lowest frequency");
      }
      // White noise of variance 1 has |X|² = samples in every bin.
      const double scale = 1.0 / std::sqrt(power * static_cast<double>(options_.samples));
      for (double& weight : row.window) weight *= scale;
      const double tiles = seconds * 2.0 * std::numbers::pi * row.frequency / q / kTileStep;
      row.tiles = std::bit_ceil(std::max(row.window.size(), static_cast<size_t>(std::ceil(tiles))));
      plane.rows.push_back(std::move(row));
    }
    planes_.push_back(std::move(plane));
  }
}

Spectrum QTransform::spectrum_of(const Series& whitened) const {
  if (whitened.size() != options_.samples) {
    throw DataError("Q transform", fmt::format("the series has {} samples, {} were announced",
                                               whitened.size(), options_.samples));
  }
  return forward_fft(whitened);
}

std::vector<QTransform::Tiles> QTransform::tiles_of(const Plane& plane, const Spectrum& spectrum,
                                                    std::span<const Reach> reaches) const {
  const double seconds = static_cast<double>(options_.samples) / options_.sample_rate;
  std::vector<Tiles> result(reaches.size());
  for (Tiles& tiles : result) tiles.rows.resize(plane.rows.size());
  // Every octave's rows take twice the time of the one below: each thread gets rows from all of them.
  const auto stripes = static_cast<size_t>(threads());
  parallel_for(threads(), [&](int64_t stripe) {
    Spectrum in, out;
    std::vector<double> sorted;
    for (size_t r = static_cast<size_t>(stripe); r < plane.rows.size(); r += stripes) {
      const Row& row = plane.rows[r];
      // Where the window starts in `in` shifts the phase of the tiles alone, not their energy.
      in.assign(row.tiles, 0.0);
      for (size_t k = 0; k < row.window.size(); ++k) in[k] = row.window[k] * spectrum[row.first_bin + k];
      inverse_complex_fft(in, out);
      double level = 1;
      if (options_.level == TileLevel::row_median) {
        sorted.resize(row.tiles);
        std::transform(out.begin(), out.end(), sorted.begin(), [](auto z) { return std::norm(z); });
        const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(row.tiles / 2);
        std::nth_element(sorted.begin(), middle, sorted.end());
        level = std::max(*middle / std::numbers::ln2, 1e-300);
      }
      const double per_second = static_cast<double>(row.tiles) / seconds;
      const auto index = [&](double t) { return static_cast<std::ptrdiff_t>(std::floor(t * per_second)); };
      for (size_t i = 0; i < reaches.size(); ++i) {
        const Reach& reach = reaches[i];
        const std::ptrdiff_t search_begin = index(reach.search_begin), search_end = index(reach.search_end);
        // The cubic reaches one tile further to the left, two to the right.
        const std::ptrdiff_t begin = index(reach.begin) - 1, end = index(reach.end) + 2;
        Tiles::Row energies{begin, {}, {0, row.frequency, 0}};
        for (std::ptrdiff_t j = begin; j <= end; ++j) {
          const size_t wrapped =
              static_cast<size_t>(j) & (row.tiles - 1);  // a power of two, also right for j < 0
          const double energy = std::norm(out[wrapped]) / level;
          energies.energy.push_back(energy);
          if (j >= search_begin && j <= search_end && energy > energies.peak.energy)
            energies.peak = {static_cast<double>(j) / per_second, row.frequency, energy};
        }
        result[i].rows[r] = std::move(energies);
      }
    }
  });
  return result;
}

EnergyMap QTransform::interpolate(const Plane& plane, const Tiles& tiles, const QWindow& window) const {
  const double seconds = static_cast<double>(options_.samples) / options_.sample_rate;
  const auto columns = static_cast<size_t>(window.columns);
  const size_t rows = plane.rows.size();
  std::vector<double> in_time(rows * columns);
  for (size_t r = 0; r < rows; ++r) {
    const double per_second = static_cast<double>(plane.rows[r].tiles) / seconds;
    for (size_t c = 0; c < columns; ++c) {
      const double x = (static_cast<double>(c) + 0.5) / static_cast<double>(columns) - 0.5;
      const double at = (window.centre + x * window.duration) * per_second;
      const double left = std::floor(at);
      const auto weights = cubic_weights(at - left);
      const auto first = static_cast<size_t>(static_cast<std::ptrdiff_t>(left) - 1 - tiles.rows[r].first);
      double sum = 0;
      for (size_t i = 0; i < 4; ++i) sum += weights[i] * tiles.rows[r].energy[first + i];
      in_time[r * columns + c] = sum;
    }
  }
  EnergyMap map{window.rows, window.columns, plane.q, {}};
  map.energy.resize(static_cast<size_t>(window.rows) * columns);
  for (size_t r = 0; r < static_cast<size_t>(window.rows); ++r) {
    // Rows of tiles are equally spaced in log frequency too, each in the middle of its step.
    const double at =
        (static_cast<double>(r) + 0.5) / static_cast<double>(window.rows) * static_cast<double>(rows) - 0.5;
    const double left = std::floor(at);
    const auto weights = cubic_weights(at - left);
    std::array<const double*, 4> source{};
    for (size_t i = 0; i < 4; ++i) {
      const double wanted =
          std::clamp(left - 1.0 + static_cast<double>(i), 0.0, static_cast<double>(rows - 1));
      source[i] = &in_time[static_cast<size_t>(wanted) * columns];
    }
    for (size_t c = 0; c < columns; ++c) {
      double sum = 0;
      for (size_t i = 0; i < 4; ++i) sum += weights[i] * source[i][c];
      map.energy[r * columns + c] = static_cast<float>(std::max(0.0, sum));  // a cubic overshoots below 0
    }
  }
  return map;
}

EnergyMap QTransform::plane(const Series& whitened, const QWindow& window, size_t index) const {
  const Plane& plane = planes_.at(index);
  const Reach reach(window);
  return interpolate(plane, tiles_of(plane, spectrum_of(whitened), {&reach, 1}).front(), window);
}

EnergyMap QTransform::loudest_plane(const Series& whitened, const QWindow& window) const {
  const QLook look{window.centre, window.duration, {window}};
  return std::move(scan(whitened, {&look, 1}).front().maps.front());
}

std::vector<QScanned> QTransform::scan(const Series& whitened, std::span<const QLook> looks) const {
  const Spectrum spectrum = spectrum_of(whitened);
  const std::vector<Reach> reaches(looks.begin(), looks.end());
  std::vector<const Plane*> best(looks.size(), nullptr);
  std::vector<Tiles> loudest(looks.size());
  std::vector<QScanned> result(looks.size());
  for (const Plane& plane : planes_) {
    std::vector<Tiles> all = tiles_of(plane, spectrum, reaches);
    for (size_t i = 0; i < looks.size(); ++i) {
      const LoudestTile peak = all[i].peak();
      if (best[i] != nullptr && peak.energy <= result[i].peak.energy) continue;
      best[i] = &plane;
      loudest[i] = std::move(all[i]);
      result[i].peak = peak;
    }
  }
  std::vector<std::pair<size_t, size_t>> shown;  // look, window
  for (size_t i = 0; i < looks.size(); ++i) {
    result[i].q = best[i]->q;
    result[i].maps.resize(looks[i].windows.size());
    for (size_t w = 0; w < looks[i].windows.size(); ++w) shown.emplace_back(i, w);
  }
  parallel_for(static_cast<int64_t>(shown.size()), [&](int64_t at) {
    const auto [i, w] = shown[static_cast<size_t>(at)];
    result[i].maps[w] = interpolate(*best[i], loudest[i], looks[i].windows[w]);
  });
  return result;
}

}  // namespace xf
