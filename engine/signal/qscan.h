#pragma once
// The pictures of a trigger as the Gravity Spy project makes them (M. Zevin et al., Class. Quantum Grav. 34,
// 064003): strain around it is whitened, Q-transformed and shown over four durations.

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/io/image.h"
#include "engine/signal/qtransform.h"
#include "engine/signal/strain.h"

namespace xf {

/// A duration in seconds, and how names of pictures spell it.
struct ShownDuration {
  double seconds;
  std::string_view name;
};
inline constexpr std::array<ShownDuration, 4> kShownDurations = {
    {{0.5, "0.5"}, {1.0, "1.0"}, {2.0, "2.0"}, {4.0, "4.0"}}};

/// What is published: 64 s are whitened, 10 to 2048 Hz shown with logarithmic frequencies, Q is 4 to 64.
inline constexpr double kBlockSeconds = 64, kLowestHz = 10, kHighestHz = 2048, kLowestQ = 4, kHighestQ = 64;
inline constexpr double kSearchSeconds = 0.5;  ///< around the trigger: where the loudest tile chooses Q
inline constexpr double kFinestStep = 0.002;   ///< seconds between columns, or less
/// The area between the axes in the published pictures of 800x600.
inline constexpr int kPictureRows = 466, kPictureColumns = 566;

/// The strain that a trigger needs: 64 s around the multiple of 8 s nearest to it, so that neighbours share
/// their block.
GpsSpan block_around(double gps);

/// Throws DataError where a block does not reach 3 s beyond the trigger, on both sides, and 8 s in all: half
/// of the longest picture and the whitening's taper have to fit.
void require_room(const Strain& block, double gps);

struct QScan {
  double gps = 0;
  double peak_gps = 0, peak_hz = 0, peak_energy = 0;  ///< the loudest tile within kSearchSeconds
  double q = 0;
  std::array<io::Image, 4> pictures;  ///< of kShownDurations; viridis, energies from 0 to kFullScaleEnergy
};

/// A block of strain, whitened. Energies are normalised by each frequency's median over the block.
class QScanner {
 public:
  /// Throws DataError for a rate below 256 Hz, a block that is too short, or strain that does not change.
  explicit QScanner(const Strain& block);

  /// The scans of triggers inside the block, in their order; see require_room(). On all threads; each
  /// takes some 10 MB.
  [[nodiscard]] std::vector<QScan> scan(std::span<const double> gps) const;

  /// The whole block, and how it lies in time.
  [[nodiscard]] const Series& whitened() const { return whitened_; }
  [[nodiscard]] const GpsSpan& span() const { return span_; }
  /// In which respects the strain allows less than what is published; empty where it does not.
  [[nodiscard]] const std::vector<std::string>& clipped() const { return clipped_; }

 private:
  [[nodiscard]] QLook look_at(double gps) const;

  GpsSpan span_;
  double highest_hz_;
  Series whitened_;
  QTransform transform_;
  std::vector<std::string> clipped_;
};

}  // namespace xf
