#pragma once
// Making an image fit a network's input.

#include <cstdint>
#include <span>

#include "engine/data/preprocess.h"
#include "engine/io/image.h"

namespace xf {

/// Resizes to height x width, bytes to bytes, into `out` (height * width * 3, rows from the top).
/// tf_bilinear follows tf.image.resize(method="bilinear") (half-pixel centres, f32 arithmetic), rounded to
/// the nearest byte; TensorFlow itself keeps the fractions. pil_bilinear gives the bytes of
/// PIL.Image.resize((width, height), BILINEAR): two passes of 22-bit fixed-point weights, the first across.
/// An image that fits already is copied. Throws UsageError unless the size is at least 1x1.
void resize(const io::Image& image, ResizeRule rule, int height, int width, std::span<uint8_t> out);
/// The same for a network of so many channels: 3, or 1, for which to_grey() follows.
void resize(const io::Image& image, ResizeRule rule, int height, int width, int channels,
            std::span<uint8_t> out);

}  // namespace xf
