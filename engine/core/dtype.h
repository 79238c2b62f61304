#pragma once
// Element types, and the 16-bit floating types on the host.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace xf {

enum class DType : uint8_t { f32, bf16, f16, u8, i32 };

constexpr size_t size_of(DType t) {
  switch (t) {
    case DType::f32:
    case DType::i32: return 4;
    case DType::bf16:
    case DType::f16: return 2;
    case DType::u8: return 1;
  }
  return 0;
}

constexpr std::string_view name(DType t) {
  switch (t) {
    case DType::f32: return "f32";
    case DType::bf16: return "bf16";
    case DType::f16: return "f16";
    case DType::u8: return "u8";
    case DType::i32: return "i32";
  }
  return "?";
}

/// The upper half of an IEEE binary32. Conversion rounds to nearest, ties to even; NaN stays NaN.
struct bfloat16 {
  uint16_t bits = 0;

  bfloat16() = default;
  explicit constexpr bfloat16(float f) {
    const auto u = std::bit_cast<uint32_t>(f);
    const bool nan = (u & 0x7fffffffU) > 0x7f800000U;
    bits = nan ? static_cast<uint16_t>((u >> 16) | 0x40U)
               : static_cast<uint16_t>((u + 0x7fffU + ((u >> 16) & 1U)) >> 16);
  }
  explicit constexpr operator float() const {
    return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
  }
};
static_assert(sizeof(bfloat16) == 2);

/// IEEE binary16. Conversion rounds to nearest, ties to even; NaN stays NaN; 65520 and more is infinite.
struct float16 {
  uint16_t bits = 0;

  float16() = default;
  explicit constexpr float16(float f) {
    const auto u = std::bit_cast<uint32_t>(f);
    const uint32_t magnitude = u & 0x7fffffffU;
    bits = static_cast<uint16_t>((u >> 16 & 0x8000U) | rounded(magnitude));
  }
  explicit constexpr operator float() const {
    const uint32_t sign = (bits & 0x8000U) << 16, magnitude = bits & 0x7fffU;
    if (magnitude < 0x400U)  // subnormal: a multiple of 2^-24
      return std::bit_cast<float>(std::bit_cast<uint32_t>(static_cast<float>(magnitude) * 0x1p-24F) | sign);
    const uint32_t rebias = magnitude >= 0x7c00U ? 0x70000000U : 0x38000000U;
    return std::bit_cast<float>(sign | ((magnitude << 13) + rebias));
  }

 private:
  static constexpr uint32_t rounded(uint32_t magnitude) {
    if (magnitude > 0x7f800000U) return 0x7e00U;
    if (magnitude >= 0x477ff000U) return 0x7c00U;
    if (magnitude >= 0x38800000U) return (magnitude + 0xfffU + (magnitude >> 13 & 1U) - 0x38000000U) >> 13;
    // Adding 1/2 leaves a multiple of 2^-24, rounded by the addition itself.
    return std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) + 0.5F) - 0x3f000000U;
  }
};
static_assert(sizeof(float16) == 2);

template <class T>
struct dtype_of;
template <>
struct dtype_of<float> {
  static constexpr DType value = DType::f32;
};
template <>
struct dtype_of<bfloat16> {
  static constexpr DType value = DType::bf16;
};
template <>
struct dtype_of<float16> {
  static constexpr DType value = DType::f16;
};
template <>
struct dtype_of<uint8_t> {
  static constexpr DType value = DType::u8;
};
template <>
struct dtype_of<int32_t> {
  static constexpr DType value = DType::i32;
};

}  // namespace xf
