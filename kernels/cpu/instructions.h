#pragma once
// What the processor can do.

namespace xf::cpu {

/// Whether our own AVX-512 code (F, BW, VL, DQ) may run, as far as oneDNN may use such instructions.
bool has_avx512();

/// Whether convolutions and products may be computed in bfloat16: the processor has AVX512_BF16 and oneDNN
/// uses it.
bool has_bf16();

}  // namespace xf::cpu
