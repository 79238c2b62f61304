#include "engine/signal/qtransform.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/core/error.h"
#include "engine/core/rng.h"
#include "engine/io/hdf5.h"
#include "engine/signal/canvas.h"
#include "engine/signal/noise.h"
#include "engine/signal/whiten.h"
#include "tests/support/test_data.h"

namespace {

struct Peak {
  double energy, frequency, seconds;
};

Peak peak_of(const xf::EnergyMap& map, const xf::QWindow& window, const xf::QTransformOptions& options) {
  const auto at =
      static_cast<size_t>(std::max_element(map.energy.begin(), map.energy.end()) - map.energy.begin());
  const size_t line = at / static_cast<size_t>(map.columns), place = at % static_cast<size_t>(map.columns);
  const double row = static_cast<double>(line) + 0.5, column = static_cast<double>(place) + 0.5;
  return {map.energy[at],
          options.lowest_hz * std::pow(options.highest_hz / options.lowest_hz, row / map.rows),
          window.centre + window.duration * (column / map.columns - 0.5)};
}

}  // namespace

TEST_CASE("the published range of Q has the published planes") {
  const auto planes = xf::q_planes(4, 64);
  REQUIRE(planes.size() == 4);
  CHECK(planes[0] == doctest::Approx(4 * std::sqrt(2.0)));
  CHECK(planes[3] == doctest::Approx(64 / std::sqrt(2.0)));
}

TEST_CASE("white noise has the mean energy 1 on every plane") {
  for (const auto level : {xf::TileLevel::unit_variance, xf::TileLevel::row_median}) {
    const bool median = level == xf::TileLevel::row_median;
    // A median wants many tiles: start where a row has hundreds, and its sampling bias of 1/(2n) is nothing.
    const xf::QTransform transform({4096, 16384, median ? 300.0 : 10.0, 2048,
                                    median ? std::vector{5.0, 12.0} : xf::q_planes(4, 64), level});
    for (size_t plane = 0; plane < transform.options().q.size(); ++plane) {
      constexpr int kTrials = 40;
      double sum = 0, square = 0;
      for (int trial = 0; trial < kTrials; ++trial) {
        xf::Rng rng(5, static_cast<uint64_t>(trial));
        xf::Series series = xf::white_noise(rng, 16384);
        if (median) {
          for (double& x : series) x *= 3;
        }
        const auto map = transform.plane(series, {2, 4, 64, 256}, plane);
        double mean = 0;
        for (const float e : map.energy) mean += e;
        mean /= static_cast<double>(map.energy.size());
        sum += mean;
        square += mean * mean;
      }
      const double mean = sum / kTrials;
      const double error = std::sqrt((square / kTrials - mean * mean) / (kTrials - 1));
      CHECK(error < 0.03);
      CHECK(std::abs(mean - 1) < 5 * error);
    }
  }
}

TEST_CASE("a sine-Gaussian peaks at its time and frequency with half its squared SNR") {
  const xf::QTransform transform({4096, 16384, 10, 2048, xf::q_planes(4, 64)});
  const xf::QWindow window{2.1, 1, 256, 500};
  for (const double frequency : {30.0, 150.0, 700.0}) {
    for (const double q : {6.0, 20.0}) {
      xf::Canvas canvas(16384, 4096);
      canvas.burst(0.2, frequency, q, 1, 0.3);
      canvas.finish(0.0, 20);
      const auto map = transform.loudest_plane(canvas.series(), window);
      const Peak peak = peak_of(map, window, transform.options());
      // Cauchy–Schwarz: a tile holds at most SNR²/2 of a real signal. Chatterji's mismatch may cost a fifth
      // of it, the bisquare window's distance from a Gaussian a little more; interpolation may add a few per
      // cent.
      CHECK(peak.energy < 200 * 1.05);
      CHECK(peak.energy > 200 * 0.75);
      const double cycles = 1 / frequency;
      CHECK(std::abs(peak.seconds - 2.2) < std::max(cycles, 0.004));
      CHECK(std::abs(std::log(peak.frequency / frequency)) < 1 / q);  // well inside the burst's own bandwidth
      // The Gaussian tile of the same width has q·√2 in Chatterji's convention: the plane next to it wins.
      CHECK(std::abs(std::log(map.q / (q * std::sqrt(2.0)))) < std::log(2.0));
    }
  }
}

TEST_CASE("impossible Q transforms are refused") {
  CHECK_THROWS_AS(xf::QTransform({4096, 16384, 10, 4096, {8}}), xf::UsageError);
  CHECK_THROWS_AS(xf::QTransform({4096, 16384, 10, 2048, {2}}), xf::UsageError);
  CHECK_THROWS_AS(xf::QTransform({4096, 256, 2, 2048, {64}}), xf::UsageError);
  const xf::QTransform transform({4096, 16384, 10, 2048, {8}});
  CHECK_THROWS_AS((void)transform.plane(xf::Series(8192), {1, 1, 8, 8}, 0), xf::DataError);
}

TEST_CASE("GW150914 is seen at its time, rising above 100 Hz") {
  const auto path = xf::test::data_path("strain/H-H1_LOSC_4_V2-1126259446-32.hdf5");
  if (!path) return;
  const xf::hdf5::File file(*path);
  const auto values = file.read<double>("/strain/Strain");
  const auto start = static_cast<double>(file.read<int64_t>("/meta/GPSstart").at(0));
  const xf::Series strain(values.begin(), values.end());
  const xf::Series white = xf::whiten(strain, 4096, xf::welch_spectrum(strain, 4096, 16384), 1);
  const xf::QTransform transform(
      {4096, white.size(), 20, 1024, xf::q_planes(4, 64), xf::TileLevel::row_median});
  const double merger = 1126259462.42 - start;
  const xf::QWindow window{merger, 1, 128, 500};
  const Peak peak = peak_of(transform.loudest_plane(white, window), window, transform.options());
  CHECK(std::abs(peak.seconds - merger) < 0.03);
  CHECK(peak.frequency > 60);
  CHECK(peak.frequency < 300);
  CHECK(peak.energy > 25.5);  // brighter than the brightest colour
}
