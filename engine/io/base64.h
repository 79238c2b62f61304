#pragma once
// Bytes as text: RFC 4648, section 4, with padding.

#include <cstdint>
#include <span>
#include <string>

namespace xf::io {

std::string base64(std::span<const uint8_t> bytes);

}  // namespace xf::io
