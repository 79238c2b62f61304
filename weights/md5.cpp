#include "weights/md5.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <fstream>
#include <vector>

#include "engine/core/error.h"

namespace xf::weights {
namespace {

constexpr std::array<int, 16> kTurns{7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21};

/// floor(2^32 |sin(i + 1)|).
constexpr std::array<uint32_t, 64> kSines{
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};

}  // namespace

void Md5::block(const std::byte* bytes) {
  std::array<uint32_t, 16> word;
  std::memcpy(word.data(), bytes, 64);  // both are little-endian
  auto [a, b, c, d] = state_;
  for (unsigned i = 0; i < 64; ++i) {
    uint32_t f = 0;
    unsigned k = 0;
    switch (i / 16) {
      case 0: f = (b & c) | (~b & d), k = i; break;
      case 1: f = (d & b) | (~d & c), k = 5 * i + 1; break;
      case 2: f = b ^ c ^ d, k = 3 * i + 5; break;
      default: f = c ^ (b | ~d), k = 7 * i; break;
    }
    const uint32_t turned = std::rotl(a + f + kSines[i] + word[k % 16], kTurns[i / 16 * 4 + i % 4]);
    a = d;
    d = c;
    c = b;
    b += turned;
  }
  state_ = {state_[0] + a, state_[1] + b, state_[2] + c, state_[3] + d};
}

void Md5::add(std::span<const std::byte> bytes) {
  size_t filled = length_ % 64;
  length_ += bytes.size();
  while (!bytes.empty()) {
    if (filled == 0 && bytes.size() >= 64) {
      block(bytes.data());
      bytes = bytes.subspan(64);
      continue;
    }
    const size_t n = std::min(64 - filled, bytes.size());
    std::copy_n(bytes.data(), n, rest_.data() + filled);
    bytes = bytes.subspan(n);
    filled += n;
    if (filled < 64) return;
    block(rest_.data());
    filled = 0;
  }
}

std::string Md5::finish() {
  const uint64_t bits = length_ * 8;
  std::vector<std::byte> end(1 + (119 - length_ % 64) % 64 + 8);
  end.front() = std::byte{0x80};
  std::memcpy(&end[end.size() - 8], &bits, 8);
  add(end);
  std::string hex;
  for (const uint32_t s : state_) {
    for (int shift = 0; shift < 32; shift += 8) hex += fmt::format("{:02x}", (s >> shift) & 0xffU);
  }
  return hex;
}

std::string md5(std::span<const std::byte> bytes) {
  Md5 sum;
  sum.add(bytes);
  return sum.finish();
}

std::string md5_of_file(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw MissingInputError(file.string(), "cannot be read", "Name a file that you may read.");
  Md5 sum;
  std::vector<char> buffer(size_t{1} << 20);
  while (in) {
    in.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    sum.add(std::as_bytes(std::span(buffer.data(), static_cast<size_t>(in.gcount()))));
  }
  return sum.finish();
}

}  // namespace xf::weights
