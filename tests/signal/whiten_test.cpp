#include "engine/signal/whiten.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "engine/core/error.h"
#include "engine/core/rng.h"
#include "engine/signal/noise.h"

namespace {

constexpr double kRate = 4096;
constexpr size_t kSegment = 8192;

double mean_square(const xf::Series& series) {
  double sum = 0;
  for (const double x : series) sum += x * x;
  return sum / static_cast<double>(series.size());
}

}  // namespace

TEST_CASE("the Fourier transform keeps the energy and has an inverse") {
  xf::Rng rng(1);
  const xf::Series series = xf::white_noise(rng, 4096);
  xf::Spectrum spectrum = xf::forward_fft(series);
  double energy = std::norm(spectrum.front()) + std::norm(spectrum.back());
  for (size_t k = 1; k + 1 < spectrum.size(); ++k) energy += 2 * std::norm(spectrum[k]);
  CHECK(energy / 4096 == doctest::Approx(mean_square(series) * 4096).epsilon(1e-12));
  const xf::Series back = xf::inverse_fft(std::move(spectrum));
  double largest = 0;
  for (size_t i = 0; i < series.size(); ++i) largest = std::max(largest, std::abs(back[i] - series[i]));
  CHECK(largest < 1e-13);  // log2(4096) roundings of values up to about 4
}

TEST_CASE("Welch's estimate finds the density of white noise") {
  xf::Rng rng(2);
  const auto spectrum = xf::welch_spectrum(xf::white_noise(rng, 64 * kSegment), kRate, kSegment);
  CHECK(spectrum.spacing_hz == doctest::Approx(0.5));
  REQUIRE(spectrum.density.size() == kSegment / 2 + 1);
  double sum = 0;
  for (size_t k = 1; k < kSegment / 2; ++k) sum += spectrum.density[k];
  const double mean = sum / (kSegment / 2.0 - 1) * kRate / 2;
  // A median of n exponential values has the relative variance 1 / (n ln²2): here two of 64 and 63, and some
  // 2700 independent bins (a Hann window joins 1.5). Five standard errors.
  const double error = std::sqrt(1.0 / (127 * 0.48) / 2700);
  CHECK(std::abs(mean - 1) < 5 * error);
}

TEST_CASE("a loud glitch hardly changes the spectrum") {
  xf::Rng rng(3);
  xf::Series series = xf::white_noise(rng, 16 * kSegment);
  const auto before = xf::welch_spectrum(series, kRate, kSegment);
  for (size_t i = 60000; i < 60100; ++i) series[i] += 1e4;
  const auto after = xf::welch_spectrum(series, kRate, kSegment);
  double sum = 0;
  for (size_t k = 1; k < kSegment / 2; ++k) sum += after.density[k] / before.density[k];
  // Two of 31 segments, one odd and one even, become infinitely loud: each median of 16 or 15 moves up by
  // half a rank, half of 2/15 in relative terms, as the density of ranks at the median of an exponential is
  // 1/(n/2).
  CHECK(sum / (kSegment / 2.0 - 1) < 1 + 2.0 / 15);
}

TEST_CASE("whitened detector noise has a flat spectrum and variance 1") {
  xf::Rng rng(4);
  const xf::Series known = xf::colour(xf::white_noise(rng, 64 * kSegment), kRate);
  const xf::Series other = xf::colour(xf::white_noise(rng, 16 * kSegment), kRate);
  const auto density = xf::welch_spectrum(known, kRate, kSegment);
  CHECK(std::sqrt(density.density[200]) == doctest::Approx(xf::detector_amplitude(100)).epsilon(0.5));
  const xf::Series white = xf::whiten(other, kRate, density, 0.5);
  REQUIRE(white.size() == other.size());
  const xf::Series middle(white.begin() + kSegment, white.end() - kSegment);
  // The spectrum's own relative variance v = 1 / (127 · ln²2) = 0.016 makes 1/density too large by v on
  // average.
  const double excess = 1.0 / (127 * 0.48);
  const auto count = static_cast<double>(middle.size());
  CHECK(std::abs(mean_square(middle) - 1 - excess) < 5 * std::sqrt(2 / count) + excess);
  const auto flat = xf::welch_spectrum(middle, kRate, kSegment);
  constexpr size_t kBand = 64;
  for (size_t first = 20; first + kBand < kSegment / 2; first += kBand) {  // from 10 Hz on
    double sum = 0;
    for (size_t k = first; k < first + kBand; ++k) sum += flat.density[k];
    // Five standard errors of 42 independent bins of 27 segments' medians, and what both estimates miss at
    // lines.
    const double mean = sum / kBand * kRate / 2;
    CHECK(std::abs(mean - 1) < 5 * std::sqrt((1 / (27 * 0.48) + excess) / 42) + excess);
  }
}

TEST_CASE("a series that is too short for a spectrum is refused") {
  CHECK_THROWS_AS((void)xf::welch_spectrum(xf::Series(kSegment * 2), kRate, kSegment), xf::DataError);
}
