#include "engine/data/resize.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/core/error.h"

namespace xf {

namespace {

constexpr size_t kChannels = 3;

/// Two source positions and the weight of the second.
struct Taps {
  size_t lower, upper;
  float weight;
};

std::vector<Taps> half_pixel_taps(int in, int out) {
  std::vector<Taps> taps;
  const float scale = static_cast<float>(in) / static_cast<float>(out);
  for (int i = 0; i < out; ++i) {
    const float at = (static_cast<float>(i) + 0.5F) * scale - 0.5F, below = std::floor(at);
    taps.push_back({static_cast<size_t>(std::max(below, 0.0F)),
                    static_cast<size_t>(std::min(std::ceil(at), static_cast<float>(in - 1))), at - below});
  }
  return taps;
}

void resize_tf(const io::Image& image, int height, int width, std::span<uint8_t> out) {
  const std::vector<Taps> rows = half_pixel_taps(image.height, height);
  const std::vector<Taps> columns = half_pixel_taps(image.width, width);
  const size_t stride = static_cast<size_t>(image.width) * kChannels;
  size_t at = 0;
  for (const Taps& y : rows) {
    const uint8_t* top = image.rgb.data() + y.lower * stride;
    const uint8_t* bottom = image.rgb.data() + y.upper * stride;
    for (const Taps& x : columns)
      for (size_t c = 0; c < kChannels; ++c) {
        const auto mix = [&](const uint8_t* row) {
          const float left = row[x.lower * kChannels + c], right = row[x.upper * kChannels + c];
          return left + (right - left) * x.weight;
        };
        const float above = mix(top), below = mix(bottom);
        const float rounded = above + (below - above) * y.weight + 0.5F;
        out[at++] = static_cast<uint8_t>(rounded);
      }
  }
}

/// The weights of one output position: fixed-point, over a run of source positions.
struct Window {
  size_t first;
  std::vector<int32_t> weights;
};

constexpr int kFractionBits = 32 - 8 - 2;  // eight bits of result, two so that sums do not overflow

/// Halves go up.
int32_t nearest(double x) { return static_cast<int32_t>(std::floor(x + 0.5)); }

/// Pillow's precompute_coeffs() and normalize_coeffs_8bpc() (src/libImaging/Resample.c) for the triangle.
std::vector<Window> triangle_windows(int in, int out) {
  std::vector<Window> windows;
  const double scale = static_cast<double>(in) / out, support = std::max(scale, 1.0);
  for (int i = 0; i < out; ++i) {
    const double center = (i + 0.5) * scale;
    const int first = std::max(0, nearest(center - support));
    const int end = std::min(in, nearest(center + support));
    std::vector<double> exact;
    double sum = 0;
    for (int x = first; x < end; ++x) {
      exact.push_back(std::max(0.0, 1.0 - std::abs((x - center + 0.5) * (1.0 / support))));
      sum += exact.back();
    }
    Window window{static_cast<size_t>(first), {}};
    for (const double w : exact) window.weights.push_back(nearest(w / sum * (1 << kFractionBits)));
    windows.push_back(std::move(window));
  }
  return windows;
}

/// One pixel's weighted sum over source pixels `step` bytes apart.
void blend(const Window& window, const uint8_t* first, size_t step, uint8_t* out) {
  for (size_t c = 0; c < kChannels; ++c) {
    int32_t sum = 1 << (kFractionBits - 1);
    for (size_t k = 0; k < window.weights.size(); ++k) sum += first[k * step + c] * window.weights[k];
    out[c] = static_cast<uint8_t>(std::clamp(sum >> kFractionBits, 0, 255));
  }
}

void resize_pil(const io::Image& image, int height, int width, std::span<uint8_t> out) {
  const size_t in_stride = static_cast<size_t>(image.width) * kChannels;
  const size_t stride = static_cast<size_t>(width) * kChannels;
  const std::vector<Window> columns = triangle_windows(image.width, width);
  std::vector<uint8_t> narrow(static_cast<size_t>(image.height) * stride);
  for (size_t y = 0; y < static_cast<size_t>(image.height); ++y)
    for (size_t x = 0; x < columns.size(); ++x)
      blend(columns[x], image.rgb.data() + y * in_stride + columns[x].first * kChannels, kChannels,
            narrow.data() + y * stride + x * kChannels);
  size_t at = 0;
  for (const Window& row : triangle_windows(image.height, height))
    for (size_t x = 0; x < stride; x += kChannels, at += kChannels)
      blend(row, narrow.data() + row.first * stride + x, stride, out.data() + at);
}

}  // namespace

void resize(const io::Image& image, ResizeRule rule, int height, int width, std::span<uint8_t> out) {
  if (height < 1 || width < 1)
    throw UsageError("image size", fmt::format("{}x{} is no size of an image", height, width));
  if (out.size() != static_cast<size_t>(height) * static_cast<size_t>(width) * kChannels)
    throw InternalError("resize", fmt::format("{} bytes cannot hold {}x{} RGB", out.size(), height, width));
  if (image.height == height && image.width == width) {
    std::copy(image.rgb.begin(), image.rgb.end(), out.begin());
  } else if (rule == ResizeRule::tf_bilinear) {
    resize_tf(image, height, width, out);
  } else {
    resize_pil(image, height, width, out);
  }
}

void resize(const io::Image& image, ResizeRule rule, int height, int width, int channels,
            std::span<uint8_t> out) {
  if (channels == 3) return resize(image, rule, height, width, out);
  std::vector<uint8_t> rgb(3 * out.size());
  resize(image, rule, height, width, rgb);
  to_grey(rgb, out);
}

}  // namespace xf
