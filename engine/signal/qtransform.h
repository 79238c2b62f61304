#pragma once
// The constant-Q transform: energy over time and frequency, with a time resolution that follows the
// frequency. S. Chatterji, "The search for gravitational wave bursts in data from the second LIGO science
// run", PhD thesis, MIT 2005, chapter 5.

#include <cstddef>
#include <span>
#include <vector>

#include "engine/signal/fft.h"

namespace xf {

/// What a row of tiles is divided by, so that white noise has the mean energy 1.
enum class TileLevel {
  unit_variance,  ///< what white noise of variance 1 would give: for short series
  row_median,     ///< the row's own median / ln 2: for long series whose whitening is not perfect
};

struct QTransformOptions {
  double sample_rate = 4096;
  size_t samples = 16384;  ///< of the series that will be given: even
  double lowest_hz = 10, highest_hz = 2048;
  std::vector<double> q;  ///< the planes to choose from
  TileLevel level = TileLevel::unit_variance;
};

/// Where to look: `duration` seconds around `centre` (seconds from the start of the series), as rows equally
/// spaced in log frequency and columns equally spaced in time, each taken at its middle.
struct QWindow {
  double centre = 0, duration = 1;
  int rows = 0, columns = 0;
};

/// Normalised energy; row 0 is the lowest frequency.
struct EnergyMap {
  int rows = 0, columns = 0;
  double q = 0;               ///< of the plane it comes from
  std::vector<float> energy;  ///< rows × columns
  [[nodiscard]] float at(int row, int column) const {
    return energy[static_cast<size_t>(row) * static_cast<size_t>(columns) + static_cast<size_t>(column)];
  }
};

/// The loudest tile: its middle in time (seconds from the start of the series) and in frequency.
struct LoudestTile {
  double seconds = 0, frequency = 0, energy = 0;
};

/// What is looked at around one trigger: the tiles within `search` seconds around `centre` choose the plane,
/// of which `windows` are shown.
struct QLook {
  double centre = 0, search = 0;
  std::vector<QWindow> windows;
};
struct QScanned {
  double q = 0;  ///< of the plane
  LoudestTile peak;
  std::vector<EnergyMap> maps;  ///< one a window
};

/// The planes from `lowest` to `highest` Q such that no tile in between loses more than a fifth of its energy
/// (Chatterji's mismatch of 0.2): 4 … 64 gives 5.7, 11.3, 22.6, 45.3.
std::vector<double> q_planes(double lowest, double highest);

/// Holds the windows of every row of tiles; one object may be used by several threads at once.
class QTransform {
 public:
  /// Throws UsageError for frequencies or Q outside what the series can hold.
  explicit QTransform(QTransformOptions options);

  /// The plane with the loudest tile inside the window, interpolated to its grid. `whitened` has the number
  /// of samples named in the options; DataError otherwise.
  [[nodiscard]] EnergyMap loudest_plane(const Series& whitened, const QWindow& window) const;

  /// The same of the plane options().q[index].
  [[nodiscard]] EnergyMap plane(const Series& whitened, const QWindow& window, size_t index) const;

  /// Looks at several places of one series. The tiles are computed once for all of them, on all threads.
  [[nodiscard]] std::vector<QScanned> scan(const Series& whitened, std::span<const QLook> looks) const;

  [[nodiscard]] const QTransformOptions& options() const { return options_; }

 private:
  struct Row {
    double frequency;
    size_t first_bin;            ///< of the spectrum, under window[0]
    size_t tiles;                ///< in time
    std::vector<double> window;  ///< bisquare, scaled for TileLevel::unit_variance
  };
  struct Plane {
    double q;
    std::vector<Row> rows;
  };
  struct Tiles;
  [[nodiscard]] Spectrum spectrum_of(const Series& whitened) const;
  struct Reach;
  [[nodiscard]] std::vector<Tiles> tiles_of(const Plane& plane, const Spectrum& spectrum,
                                            std::span<const Reach> reaches) const;
  [[nodiscard]] EnergyMap interpolate(const Plane& plane, const Tiles& tiles, const QWindow& window) const;

  QTransformOptions options_;
  std::vector<Plane> planes_;
};

}  // namespace xf
