#pragma once
// MD5 (RFC 1321): what the official weight files are known by, and the checksum of the tensors in ours. It
// guards against damage, not against an adversary.

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace xf::weights {

class Md5 {
 public:
  void add(std::span<const std::byte> bytes);
  /// 32 hexadecimal digits. Ends the sum: nothing may be added afterwards.
  [[nodiscard]] std::string finish();

 private:
  void block(const std::byte* bytes);

  std::array<uint32_t, 4> state_{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  std::array<std::byte, 64> rest_{};
  uint64_t length_ = 0;
};

std::string md5(std::span<const std::byte> bytes);
/// Throws MissingInputError when the file cannot be read.
std::string md5_of_file(const std::filesystem::path& file);

}  // namespace xf::weights
