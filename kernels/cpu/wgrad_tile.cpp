#include "kernels/cpu/wgrad_tile.h"

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <utility>

// Only functions marked with this run on such a processor, and only they may use its instructions.
#define XF_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")))

namespace xf::cpu::wgrad {

namespace {

template <DType type>
XF_AVX512 inline __m512 multiply_add(__m512 sum, __m512i x, __m512i dy) {
  if constexpr (type == DType::f32)
    return _mm512_fmadd_ps(_mm512_castsi512_ps(x), _mm512_castsi512_ps(dy), sum);
  else
    return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(x), reinterpret_cast<__m512bh>(dy));
}

template <DType type, int outputs, int vectors>
XF_AVX512 void tile_loop(const Run* runs, int64_t count, const uint32_t* x, const uint32_t* dy, float* tile,
                         Store store) {
  constexpr int64_t kEntry = vectors * kLanes;
  constexpr int64_t kStep = type == DType::f32 ? kEntry : 2 * kEntry;
  __m512 sum[outputs][vectors];
  for (int o = 0; o < outputs; ++o)
    for (int v = 0; v < vectors; ++v) sum[o][v] = _mm512_setzero_ps();
  for (const Run* run = runs; run != runs + count; ++run) {
    const uint32_t* px = x + run->x * kEntry;
    const uint32_t* pd = dy + run->dy * outputs;
    for (int64_t step = run->steps; step > 0; --step, px += kStep, pd += outputs) {
      __m512i in[vectors];
      for (int v = 0; v < vectors; ++v) in[v] = _mm512_loadu_si512(px + v * kLanes);
      for (int o = 0; o < outputs; ++o) {
        const __m512i d = _mm512_set1_epi32(static_cast<int>(pd[o]));
        for (int v = 0; v < vectors; ++v) sum[o][v] = multiply_add<type>(sum[o][v], in[v], d);
      }
    }
  }
  for (int o = 0; o < outputs; ++o)
    for (int v = 0; v < vectors; ++v) {
      float* p = tile + o * kEntry + v * kLanes;
      _mm512_storeu_ps(p, store == Store::set ? sum[o][v] : _mm512_add_ps(_mm512_loadu_ps(p), sum[o][v]));
    }
}

/// 24 of the 32 registers hold sums: the largest tile for 1 to 4 vectors. Eight sums at least are needed to
/// hide the latency.
constexpr std::array<int, 5> kMostOutputs{0, 16, 12, 8, 6};
constexpr std::array<int, 5> kFewestOutputs{0, 8, 6, 5, 4};

template <DType type, int vectors, size_t... i>
constexpr std::array<Tile, sizeof...(i) + 1> tiles_of(std::index_sequence<i...>) {
  return {nullptr, &tile_loop<type, static_cast<int>(i) + 1, vectors>...};
}
template <DType type, int vectors>
Tile tile_of(int outputs) {
  static constexpr auto kTiles = tiles_of<type, vectors>(std::make_index_sequence<kMostOutputs[vectors]>());
  return kTiles[static_cast<size_t>(outputs)];
}
template <DType type>
Tile tile_of(int outputs, int vectors) {
  switch (vectors) {
    case 1: return tile_of<type, 1>(outputs);
    case 2: return tile_of<type, 2>(outputs);
    case 3: return tile_of<type, 3>(outputs);
    default: return tile_of<type, 4>(outputs);
  }
}

/// The first `count` channels of a pixel, 16 at most.
__mmask16 first_channels(int64_t count) {
  return static_cast<__mmask16>(count >= kLanes ? 0xffffU : (1U << count) - 1U);
}

/// Channels of a pixel, as 32-bit units; bf16 ones in the lower halves.
template <DType type>
XF_AVX512 inline __m512i widened(const std::byte* p, __mmask16 channels) {
  if constexpr (type == DType::f32)
    return _mm512_maskz_loadu_epi32(channels, p);
  else
    return _mm512_maskz_cvtepu16_epi32(channels, _mm256_maskz_loadu_epi16(channels, p));
}

XF_AVX512 inline __m512i paired(__m512i low, __m512i high) {
  return _mm512_or_si512(low, _mm512_maskz_slli_epi32(0xffffU, high, 16));
}

/// `entry_units` apart: one vector of each entry of an x panel.
template <DType type>
XF_AVX512 void pack_x_vector(const std::byte* p, int64_t count, int64_t pitch, __mmask16 channels,
                             int64_t entry_units, uint32_t* entry) {
  if constexpr (type == DType::f32) {
    for (int64_t i = 0; i < count; ++i, p += pitch, entry += entry_units)
      _mm512_storeu_si512(entry, widened<type>(p, channels));
  } else {
    __m512i before = _mm512_setzero_si512();
    for (int64_t i = 0; i < count; ++i, p += pitch, entry += entry_units) {
      const __m512i here = widened<type>(p, channels);
      _mm512_storeu_si512(entry, paired(before, here));
      before = here;
    }
    _mm512_storeu_si512(entry, before);
  }
}

/// The entries of one tile of a dy panel. Each store also writes the beginning of the next entry, which comes
/// after it.
template <DType type>
XF_AVX512 void pack_dy_tile(const std::byte* p, int64_t count, int64_t pitch, __mmask16 channels, int outputs,
                            uint32_t* entry) {
  if constexpr (type == DType::f32) {
    for (int64_t i = 0; i < count; ++i, p += pitch, entry += outputs)
      _mm512_storeu_si512(entry, widened<type>(p, channels));
  } else {
    for (int64_t i = 0; i + 1 < count; i += 2, p += 2 * pitch, entry += outputs)
      _mm512_storeu_si512(entry, paired(widened<type>(p, channels), widened<type>(p + pitch, channels)));
    if (count % 2 != 0) _mm512_storeu_si512(entry, widened<type>(p, channels));
  }
}

template <DType type>
void pack_x_row(const Pixels& row, int vectors, uint32_t* entries) {
  for (int64_t v = 0; v < vectors; ++v) {
    const int64_t channel = v * kLanes;
    pack_x_vector<type>(row.first + channel * static_cast<int64_t>(size_of(type)), row.count, row.pitch,
                        first_channels(row.channels - channel), vectors * kLanes, entries + channel);
  }
}

template <DType type>
void pack_dy_row(const Pixels& row, int outputs, int64_t pitch, uint32_t* entries) {
  for (int64_t c = 0; c < row.channels; c += outputs, entries += pitch)
    pack_dy_tile<type>(row.first + c * static_cast<int64_t>(size_of(type)), row.count, row.pitch,
                       first_channels(row.channels - c), outputs, entries);
}

}  // namespace

Tile find_tile(DType type, int outputs, int vectors) {
  return type == DType::f32 ? tile_of<DType::f32>(outputs, vectors) : tile_of<DType::bf16>(outputs, vectors);
}

int outputs_of_tile(int vectors, int64_t channels) {
  // A step takes outputs * vectors / 2 cycles of arithmetic, but hardly less than the 2.7 * vectors in which
  // the second-level cache delivers x.
  const auto cost = [&](int outputs) {
    return (channels + outputs - 1) / outputs * std::max<int64_t>(3 * outputs, 16);
  };
  const auto v = static_cast<size_t>(vectors);
  int best = kMostOutputs[v];
  for (int outputs = best - 1; outputs >= kFewestOutputs[v]; --outputs)
    if (cost(outputs) < cost(best)) best = outputs;
  return best;
}

void pack_x(DType type, const Pixels& row, int vectors, uint32_t* entries) {
  if (type == DType::f32)
    pack_x_row<DType::f32>(row, vectors, entries);
  else
    pack_x_row<DType::bf16>(row, vectors, entries);
}

void pack_dy(DType type, const Pixels& row, int outputs, int64_t pitch, uint32_t* entries) {
  if (type == DType::f32)
    pack_dy_row<DType::f32>(row, outputs, pitch, entries);
  else
    pack_dy_row<DType::bf16>(row, outputs, pitch, entries);
}

}  // namespace xf::cpu::wgrad
