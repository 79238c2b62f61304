// What the program makes of strain, as numbers, for comparing them with other software's:
//   parity-strain STRAIN.hdf5 GPS HIGHEST_HZ SECONDS ROWS COLUMNS OUT.h5
// OUT.h5 has the block's /density (its attribute spacing_hz), /whitened and /energy (ROWS, COLUMNS) of the
// SECONDS around GPS from 10 to HIGHEST_HZ, lowest first, on the plane of the loudest tile; the root's
// attributes start, q, peak_time, peak_frequency, peak_energy.

#include <fmt/format.h>

#include <exception>
#include <string>
#include <vector>

#include "engine/core/error.h"
#include "engine/io/hdf5.h"
#include "engine/signal/qscan.h"
#include "engine/signal/whiten.h"

namespace xf {
namespace {

void run(const std::vector<std::string>& words) {
  if (words.size() != 7)
    throw UsageError("parity-strain", "needs STRAIN.hdf5 GPS HIGHEST_HZ SECONDS ROWS COLUMNS OUT.h5");
  const double gps = std::stod(words[1]);
  const Strain block = StrainFile(words[0]).around(gps, block_around(gps));
  const QScanner scanner(block);
  const Series& white = scanner.whitened();
  const PowerSpectrum spectrum =
      welch_spectrum(block.values, block.sample_rate, static_cast<size_t>(2 * block.sample_rate));
  const QTransform transform({block.sample_rate, white.size(), kLowestHz, std::stod(words[2]),
                              q_planes(kLowestQ, kHighestQ), TileLevel::row_median});
  const double centre = gps - block.span.begin;
  const QLook look{
      centre, kSearchSeconds, {{centre, std::stod(words[3]), std::stoi(words[4]), std::stoi(words[5])}}};
  const QScanned scanned = transform.scan(white, {&look, 1}).front();
  const EnergyMap& map = scanned.maps.front();

  hdf5::Writer out(words[6]);
  const auto bins = static_cast<int64_t>(spectrum.density.size()),
             samples = static_cast<int64_t>(white.size());
  out.dataset("/density", {&bins, 1}, std::span<const double>(spectrum.density));
  out.attribute("/density", "spacing_hz", spectrum.spacing_hz);
  out.dataset("/whitened", {&samples, 1}, std::span<const double>(white));
  const int64_t extents[] = {map.rows, map.columns};
  out.dataset("/energy", extents, std::span<const float>(map.energy));
  out.attribute("/", "start", block.span.begin);
  out.attribute("/", "q", scanned.q);
  out.attribute("/", "peak_time", block.span.begin + scanned.peak.seconds);
  out.attribute("/", "peak_frequency", scanned.peak.frequency);
  out.attribute("/", "peak_energy", scanned.peak.energy);
  out.commit();
}

}  // namespace
}  // namespace xf

int main(int argc, char** argv) {
  try {
    xf::run({argv + 1, argv + argc});
    return 0;
  } catch (const std::exception& e) {
    fmt::print(stderr, "parity-strain: {}\n", e.what());
    return 1;
  }
}
