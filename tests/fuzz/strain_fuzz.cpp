#include <span>

#include "engine/core/rng.h"
#include "engine/signal/qscan.h"
#include "tests/fuzz/hdf5_choice.h"

using namespace xf;
using fuzz::Choice;

namespace {

/// Noise, parts of which are one number.
std::vector<double> samples(Choice& choose, size_t count) {
  Rng rng(1);
  const double scale = fuzz::number(choose, {1, 1e-21});
  std::vector<double> values(count);
  for (double& x : values) x = scale * rng.uniform(-1, 1);
  for (int i = count == 0 ? 0 : choose.ConsumeIntegralInRange(0, 2); i > 0; --i) {
    const auto first = choose.ConsumeIntegralInRange<size_t>(0, count - 1),
               end = choose.ConsumeIntegralInRange<size_t>(first, count);
    std::fill(values.data() + first, values.data() + end,
              fuzz::number(choose, {0, std::numeric_limits<double>::quiet_NaN()}));
  }
  return values;
}

void fill(hdf5::Writer& file, Choice& choose) {
  const double rate = fuzz::number(choose, {0.01, 0.6, 16, 256, 512});
  const auto count = choose.ConsumeIntegralInRange<int64_t>(0, 16384);
  const bool flat = !fuzz::oddly(choose);
  fuzz::add_values(file, choose, "/strain/Strain",
                   flat ? std::vector<int64_t>{count} : std::vector<int64_t>{count, 1},
                   samples(choose, static_cast<size_t>(count)));
  if (!fuzz::oddly(choose)) file.attribute("/strain/Strain", "Xspacing", 1 / rate);
  const char* start = choose.ConsumeBool() ? "/meta/GPSstart" : nullptr;
  if (start != nullptr) fuzz::add_numbers(file, choose, start, {}, {1e9, 1126259446});
  if (!fuzz::oddly(choose)) file.attribute("/strain/Strain", "Xstart", fuzz::number(choose, {1e9}));
  if (choose.ConsumeBool()) fuzz::add_texts(file, choose, "/meta/Detector", 1, {"H1", "L1"});
  const double seconds = std::ceil(static_cast<double>(count) / rate);
  if (choose.ConsumeBool() && seconds >= 0 && seconds <= 1e5)
    fuzz::add_numbers(file, choose, "/quality/simple/DQmask", {static_cast<int64_t>(seconds)}, {127, 126});
}

void check_strain(const Strain& strain) {
  fuzz::require(strain.values.size() % 2 == 0);
  fuzz::require(
      std::all_of(strain.values.begin(), strain.values.end(), [](double x) { return std::isfinite(x); }));
}

void check_scan(const Strain& strain, double gps) {
  require_room(strain, gps);
  const QScan scan = QScanner(strain).scan({&gps, 1}).front();
  fuzz::require(std::isfinite(scan.peak_energy) && scan.peak_hz > 0 && strain.span.holds(scan.peak_gps));
  for (const io::Image& picture : scan.pictures) fuzz::require(picture.width == kPictureColumns);
}

}  // namespace

void xf::fuzz::read(std::span<const uint8_t> input) {
  Choice choose(input.data(), input.size());
  const auto path = write_hdf5("strain.hdf5", [&](hdf5::Writer& to) { fill(to, choose); });
  if (!path) return;
  read_or_refuse([&] {
    const StrainFile file(*path);
    require(file.sample_rate() > 0 && file.span().begin > 0 && file.span().begin <= file.span().end);
    const double gps = oddly(choose)
                           ? number(choose, {1e9})
                           : file.span().begin + choose.ConsumeProbability<double>() * file.span().seconds();
    const Strain strain = file.around(gps, block_around(gps));
    check_strain(strain);
    if (choose.ConsumeIntegralInRange(0, 3) == 0) check_scan(strain, gps);
  });
}
