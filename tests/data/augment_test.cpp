#include "engine/data/augment.h"

#include <doctest/doctest.h>

#include <array>
#include <set>
#include <vector>

#include "engine/core/error.h"

using namespace xf;
using Pixels = std::vector<uint8_t>;

namespace {

constexpr int kHeight = 6, kWidth = 10;

/// Column in the first channel, row in the second, 100 in the third.
Pixels ramp() {
  Pixels p;
  for (int y = 0; y < kHeight; ++y)
    for (int x = 0; x < kWidth; ++x)
      p.insert(p.end(), {static_cast<uint8_t>(x), static_cast<uint8_t>(y), uint8_t{100}});
  return p;
}

Pixels changed(const Augment& options, uint64_t seed, int64_t epoch, int64_t sample) {
  const Pixels in = ramp();
  Pixels out(in.size());
  augment(options, seed, epoch, sample, kHeight, kWidth, in, out);
  return out;
}

}  // namespace

TEST_CASE("an image of one channel changes as each of three does") {
  const Augment options{.time_shift = 0.5F, .frequency_shift = 0.5F, .gain = 1, .flip_time = true};
  const Pixels in = ramp(), all = changed(options, 1, 2, 3);
  for (size_t c = 0; c < 3; ++c) {
    Pixels one(in.size() / 3), out(one.size()), expected(one.size());
    for (size_t i = 0; i < one.size(); ++i) {
      one[i] = in[3 * i + c];
      expected[i] = all[3 * i + c];
    }
    augment(options, 1, 2, 3, kHeight, kWidth, one, out);
    CHECK(out == expected);
  }
}

TEST_CASE("without options an image stays as it is") {
  CHECK(!Augment{}.any());
  CHECK(changed({}, 1, 2, 3) == ramp());
}

TEST_CASE("a time shift moves columns alone, by up to its fraction, and mirrors the edge") {
  std::set<int> shifts;
  for (int64_t sample = 0; sample < 200; ++sample) {
    const Pixels out = changed({.time_shift = 0.3F}, 5, 0, sample);
    const int by = 5 - out[5 * 3];  // column 5 is never beyond an edge for shifts up to 3
    shifts.insert(by);
    for (int x = 0; x < kWidth; ++x) {
      int from = x - by;
      if (from < 0) from = -1 - from;
      if (from >= kWidth) from = 2 * kWidth - 1 - from;
      const auto at = static_cast<size_t>(2 * kWidth + x) * 3;
      REQUIRE(out[at] == from);
      REQUIRE(out[at + 1] == 2);
    }
  }
  CHECK(shifts == std::set<int>{-3, -2, -1, 0, 1, 2, 3});
}

TEST_CASE("frequency shift, mirroring in time, gain") {
  const Pixels up = changed({.frequency_shift = 0.5F}, 5, 0, 1);
  for (size_t i = 0; i < up.size(); i += 3) CHECK(up[i] == ramp()[i]);
  CHECK(up != ramp());

  int mirrored = 0;
  for (int64_t sample = 0; sample < 400; ++sample) {
    const Pixels out = changed({.flip_time = true}, 5, 0, sample);
    REQUIRE((out[0] == 0 || out[0] == kWidth - 1));
    if (out[0] != 0) ++mirrored;
  }
  CHECK(mirrored > 140);  // 200 expected, six standard deviations are 60
  CHECK(mirrored < 260);

  int lowest = 255, highest = 0;
  for (int64_t sample = 0; sample < 400; ++sample) {
    const Pixels out = changed({.gain = 0.2F}, 5, 0, sample);
    lowest = std::min<int>(lowest, out[2]);
    highest = std::max<int>(highest, out[2]);
  }
  CHECK(lowest >= 80);
  CHECK(lowest <= 82);
  CHECK(highest >= 118);
  CHECK(highest <= 120);
}

TEST_CASE("what is drawn depends on seed, epoch and sample alone") {
  const Augment all{.time_shift = 0.5F, .frequency_shift = 0.5F, .gain = 0.5F, .flip_time = true};
  const Pixels once = changed(all, 1, 2, 3);
  CHECK(once == changed(all, 1, 2, 3));
  CHECK(once != changed(all, 2, 2, 3));
  CHECK(once != changed(all, 1, 3, 3));
  CHECK(once != changed(all, 1, 2, 4));
}

TEST_CASE("augmentations are read from their names") {
  const std::array<std::string, 4> items = {"time-shift=0.1", "frequency-shift=0.02", "gain=0.25",
                                            "flip-time"};
  const Augment a = parse_augment(items);
  CHECK(a.time_shift == 0.1F);
  CHECK(a.frequency_shift == 0.02F);
  CHECK(a.gain == 0.25F);
  CHECK(a.flip_time);
  CHECK(a.any());
  for (const std::string bad : {"flip", "time-shift", "time-shift=", "time-shift=0.6", "gain=-1", "gain=nan",
                                "gain=0.1x", "flip-time=1", ""}) {
    CAPTURE(bad);
    CHECK_THROWS_AS((void)parse_augment(std::array{bad}), UsageError);
  }
}
