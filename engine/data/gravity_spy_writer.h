#pragma once
// Data sets in the layout of Gravity Spy's public training set: an HDF5 file of pictures and a CSV file of
// what is known of each glitch.

#include <array>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/io/hdf5.h"

namespace xf {

/// A row of the CSV file, in its columns' names.
struct GlitchMetadata {
  double event_time = 0;  ///< GPS
  double peak_time = 0;   ///< GPS; written as seconds and nanoseconds
  std::string ifo;        ///< "H1"
  double peak_frequency = 0, central_freq = 0, bandwidth = 0, duration = 0, snr = 0;
  std::string gravityspy_id, label, sample_type;
  std::string true_label;  ///< of simulated data: what the glitch is, whatever its label
};

/// Writes FILE.h5 and, beside it, FILE_metadata.csv; both appear with commit().
class GravitySpyWriter {
 public:
  static constexpr int kRows = 140, kColumns = 170;

  /// Throws WriteError.
  explicit GravitySpyWriter(const std::filesystem::path& file);
  static std::filesystem::path metadata_file(const std::filesystem::path& file);

  /// `pictures` of 0.5, 1, 2 and 4 s: kRows × kColumns, grey from 0 to 1, highest frequency first. They
  /// become
  /// `/LABEL/SAMPLE_TYPE/ID/0.5.png` and so on, f32 (1, kRows, kColumns).
  void add(const GlitchMetadata& glitch, std::span<const std::vector<float>, 4> pictures);
  /// An attribute of the whole file.
  void attribute(const std::string& name, std::string_view text) { pictures_.attribute("/", name, text); }
  void commit();

 private:
  hdf5::Writer pictures_;
  std::filesystem::path metadata_;
  std::string table_;
};

}  // namespace xf
