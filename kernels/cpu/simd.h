#pragma once
// The instruction sets our kernels are compiled for: AVX-512, AVX2, and SSE4.2 for all else. Included before
// Highway by every file that uses it, so that all of them agree.

#define HWY_WANT_SSE4 1
#define HWY_DISABLED_TARGETS HWY_SSSE3
