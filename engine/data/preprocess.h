#pragma once
// What a network expects of its input: value range, channel order, and how images were made to fit.
// A weight file fixes these; they travel with it (see models/dialect.h).

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "engine/core/channel_order.h"

namespace xf {

/// Maps bytes 0–255 to the range that a set of weights was trained on. The names are Keras's `mode` arguments
/// of keras.applications.imagenet_utils.preprocess_input, `unit` and `bn_inception`.
enum class Preprocess : uint8_t {
  tf,           ///< x / 127.5 - 1
  caffe,        ///< RGB to BGR, minus the ImageNet means 103.939, 116.779, 123.68
  torch,        ///< x / 255, minus 0.485, 0.456, 0.406, over 0.229, 0.224, 0.225
  unit,         ///< x / 255
  bn_inception  ///< RGB to BGR, minus 104, 117, 128: Caffe's BN-Inception as Cadene ported it
};

/// How an image of another size is made to fit.
enum class ResizeRule : uint8_t {
  tf_bilinear,  ///< tf.image.resize: half-pixel centres, two taps, no antialiasing
  pil_bilinear  ///< PIL.Image.resize(BILINEAR): a triangle as wide as the reduction, which antialiases
};

/// A mode as arithmetic on RGB bytes x: y[c] = x[source(c)] * scale[c] + shift[c].
struct Normalization {
  std::array<float, 3> scale{}, shift{};
  ChannelOrder order = ChannelOrder::rgb;

  /// The RGB channel that output channel c is made of.
  [[nodiscard]] constexpr int source(int c) const { return order == ChannelOrder::bgr ? 2 - c : c; }
};

Normalization normalization(Preprocess mode);
/// Whether the mode treats every channel alike, as an image of one channel needs.
bool suits_grey(Preprocess mode);

/// RGB bytes to grey ones, a third as many: 0.2125 R + 0.7154 G + 0.0721 B, rounded to nearest. These are the
/// luminances of ITU-R BT.709 as scikit-image's rgb2gray has them, which made Gravity Spy's grey images.
void to_grey(std::span<const uint8_t> rgb, std::span<uint8_t> grey);

std::string_view name(Preprocess mode);
std::string_view name(ResizeRule rule);

/// The mode of that name. Throws UsageError with the valid names.
Preprocess parse_preprocess(std::string_view text);
/// The rule of that name. Throws UsageError with the valid names.
ResizeRule parse_resize_rule(std::string_view text);

}  // namespace xf
