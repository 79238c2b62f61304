#pragma once
// Small files of strain in GWOSC's layout.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/io/hdf5.h"
#include "engine/signal/fft.h"

namespace xf::test {

struct StrainContent {
  double sample_rate = 4096;
  int64_t start = 1000000000;
  Series values;
  std::vector<int32_t> mask;  ///< one a second; empty: none is written
  std::string detector = "H1";
};

inline std::filesystem::path write_strain(const std::filesystem::path& path, const StrainContent& content) {
  hdf5::Writer file(path);
  const auto count = static_cast<int64_t>(content.values.size());
  file.dataset("/strain/Strain", {&count, 1}, std::span<const double>(content.values));
  file.attribute("/strain/Strain", "Xspacing", 1 / content.sample_rate);
  file.dataset("/meta/GPSstart", {}, std::span<const int64_t>(&content.start, 1));
  file.dataset("/meta/Detector", std::span<const std::string>(&content.detector, 1));
  const auto seconds = static_cast<int64_t>(content.mask.size());
  if (seconds > 0)
    file.dataset("/quality/simple/DQmask", {&seconds, 1}, std::span<const int32_t>(content.mask));
  file.commit();
  return path;
}

}  // namespace xf::test
