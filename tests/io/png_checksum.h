#pragma once
// The checksum of a PNG chunk, bit by bit: shares nothing with the code under test.

#include <cstdint>
#include <span>

namespace xf::test {

/// CRC-32 of a chunk's type and data (ISO 3309).
inline uint32_t png_checksum(std::span<const uint8_t> bytes) {
  uint32_t crc = 0xFFFFFFFFU;
  for (const uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1U) != 0 ? 0xEDB88320U ^ (crc >> 1) : crc >> 1;
  }
  return ~crc;
}

}  // namespace xf::test
