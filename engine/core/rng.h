#pragma once
// Counter-based random numbers: the same bits on host and device, at any thread count, in any order.

#include <cstddef>
#include <cstdint>
#include <utility>

#if defined(__CUDACC__)
#define XF_HOST_DEVICE __host__ __device__
#else
#define XF_HOST_DEVICE
#endif

namespace xf {

/// Four independent 32-bit words.
struct Philox4 {
  uint32_t v[4];
};

/// Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC11).
/// `key` is the seed; `hi` names a stream (an op, an epoch) and `lo` the position in it.
XF_HOST_DEVICE constexpr Philox4 philox(uint64_t key, uint64_t hi, uint64_t lo) {
  uint32_t c0 = static_cast<uint32_t>(lo), c1 = static_cast<uint32_t>(lo >> 32);
  uint32_t c2 = static_cast<uint32_t>(hi), c3 = static_cast<uint32_t>(hi >> 32);
  uint32_t k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xD2511F53U} * c0, b = uint64_t{0xCD9E8D57U} * c2;
    const uint32_t n0 = static_cast<uint32_t>(b >> 32) ^ c1 ^ k0;
    const uint32_t n2 = static_cast<uint32_t>(a >> 32) ^ c3 ^ k1;
    c1 = static_cast<uint32_t>(b);
    c3 = static_cast<uint32_t>(a);
    c0 = n0;
    c2 = n2;
    k0 += 0x9E3779B9U;
    k1 += 0xBB67AE85U;
  }
  return {{c0, c1, c2, c3}};
}

/// Uniform in [0, 1) with 24 bits, exact in f32.
XF_HOST_DEVICE constexpr float unit_float(uint32_t bits) { return static_cast<float>(bits >> 8) * 0x1p-24F; }

/// A sequential stream over one (seed, stream) pair, for shuffles, initialisers and simulation.
class Rng {
 public:
  explicit Rng(uint64_t seed, uint64_t stream = 0) : seed_(seed), stream_(stream) {}
  uint32_t next();
  /// Uniform in [0, 1).
  double uniform();
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// Standard normal (Box–Muller).
  double normal();
  /// Uniform in 0 … n-1, without bias.
  uint64_t below(uint64_t n);
  /// Fisher–Yates; the same order on every platform (std::shuffle does not promise that).
  template <class Range>
  void shuffle(Range& r) {
    for (size_t i = r.size(); i > 1; --i) std::swap(r[i - 1], r[below(i)]);
  }

 private:
  uint64_t seed_, stream_, position_ = 0;
  Philox4 block_{};
  unsigned left_ = 0;
};

}  // namespace xf
