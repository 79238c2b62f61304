#pragma once
// Detector strain in the HDF5 files of the Gravitational Wave Open Science Center (GWOSC).

#include <filesystem>
#include <string>
#include <vector>

#include "engine/io/hdf5.h"
#include "engine/signal/fft.h"

namespace xf {

/// GPS seconds, without the end.
struct GpsSpan {
  double begin = 0, end = 0;
  [[nodiscard]] double seconds() const { return end - begin; }
  [[nodiscard]] bool holds(double gps) const { return begin <= gps && gps < end; }
};

/// An uninterrupted stretch of strain with an even number of samples, all of them numbers.
struct Strain {
  double sample_rate = 0;
  GpsSpan span;
  Series values;
  std::vector<std::string> clipped;  ///< why it is shorter than what was asked for
};

/// A file with `/strain/Strain` (its attribute Xspacing is the time between samples), `/meta/GPSstart` (or
/// the attribute Xstart) and, where it has them, `/meta/Detector` and `/quality/simple/DQmask`.
class StrainFile {
 public:
  /// Reads everything but the strain. Throws MissingInputError for a file that is not there, DataError for
  /// one of another layout.
  explicit StrainFile(const std::filesystem::path& path);

  /// "H1"; "unknown" where the file does not say.
  [[nodiscard]] const std::string& detector() const { return detector_; }
  [[nodiscard]] double sample_rate() const { return sample_rate_; }
  [[nodiscard]] const GpsSpan& span() const { return span_; }
  /// Where the quality mask's DATA bit says that there is no strain, in order of time.
  [[nodiscard]] const std::vector<GpsSpan>& gaps() const { return gaps_; }

  /// Throws DataError naming the file's span when `gps` lies outside it, and the gap when it lies in one.
  void require_data_at(double gps) const;
  /// As much of `wanted` as lies around `gps` without an interruption: the end of the file, a gap, a sample
  /// that is no number. Throws DataError where there is no strain at `gps` itself.
  [[nodiscard]] Strain around(double gps, const GpsSpan& wanted) const;

 private:
  void read_description();
  void read_gaps();
  [[nodiscard]] double time_of(int64_t sample) const {
    return span_.begin + static_cast<double>(sample) / sample_rate_;
  }

  hdf5::File file_;
  std::string name_, detector_ = "unknown";
  double sample_rate_ = 0;
  int64_t samples_ = 0;
  GpsSpan span_;
  std::vector<GpsSpan> gaps_;
};

}  // namespace xf
