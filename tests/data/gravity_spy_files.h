#pragma once
// Small files in Gravity Spy's layout.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/io/hdf5.h"

namespace xf::test {

inline constexpr int64_t kSpectrogramRows = 140, kSpectrogramColumns = 170;

/// A spectrogram of one value.
inline std::vector<float> flat_spectrogram(float value) {
  return std::vector<float>(static_cast<size_t>(kSpectrogramRows * kSpectrogramColumns), value);
}

inline void put_spectrogram(hdf5::Writer& file, const std::string& path, const std::vector<float>& values) {
  const std::vector<int64_t> dims{1, kSpectrogramRows, kSpectrogramColumns};
  file.dataset<float>(path, dims, values);
}

/// All durations of a glitch, each of one grey value: first, first + 1, first + 2 and first + 3.
inline void put_glitch(hdf5::Writer& file, const std::string& group, int first) {
  for (const char* image : {"0.5.png", "1.0.png", "2.0.png", "4.0.png"})
    put_spectrogram(file, group + "/" + image, flat_spectrogram(static_cast<float>(first++) / 255));
}

/// Two classes: Blip with two glitches to train on and one of each other part, Chirp with one of each.
inline std::filesystem::path small_gravity_spy(const std::filesystem::path& path) {
  hdf5::Writer file(path);
  put_glitch(file, "/Blip/train/b1", 10);
  put_glitch(file, "/Blip/train/b2", 20);
  put_glitch(file, "/Blip/validation/b3", 30);
  put_glitch(file, "/Blip/test/b4", 40);
  put_glitch(file, "/Chirp/train/c1", 50);
  put_glitch(file, "/Chirp/validation/c2", 60);
  put_glitch(file, "/Chirp/test/c3", 70);
  file.commit();
  return path;
}

}  // namespace xf::test
