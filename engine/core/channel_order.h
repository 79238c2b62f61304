#pragma once

#include <cstdint>

namespace xf {

/// The order of an image's colour channels.
enum class ChannelOrder : uint8_t { rgb, bgr };

}  // namespace xf
