#pragma once
// Random changes to training images, by option only. A spectrogram's axes mean something: across is time, up
// is frequency. A glitch a little earlier or louder is the same kind of glitch; one that is mirrored in time
// may not be (a chirp sweeps up, its mirror image is another class), and one turned upside down never is, so
// there is no such option.

#include <cstdint>
#include <span>
#include <string>

namespace xf {

/// What may change, and by how much at most. All zero: nothing does.
struct Augment {
  float time_shift = 0;       ///< fraction of the width, 0 … 0.5; either way
  float frequency_shift = 0;  ///< fraction of the height, 0 … 0.5; either way
  float gain = 0;             ///< brightness is multiplied by 1 - gain … 1 + gain; 0 … 1
  bool flip_time = false;     ///< mirrors every other image, drawn at random

  [[nodiscard]] bool any() const { return time_shift > 0 || frequency_shift > 0 || gain > 0 || flip_time; }
};

/// Each item is time-shift=F, frequency-shift=F, gain=F or flip-time. Throws UsageError with the valid forms.
Augment parse_augment(std::span<const std::string> items);

/// Changes height x width pixels of one or more bytes from `in` to `out` (apart from each other). What is
/// drawn depends on (seed, epoch, sample) alone, so the order of work and a resumed run do not matter. What a
/// shift moves in from outside mirrors the edge.
void augment(const Augment& options, uint64_t seed, int64_t epoch, int64_t sample, int height, int width,
             std::span<const uint8_t> in, std::span<uint8_t> out);

}  // namespace xf
