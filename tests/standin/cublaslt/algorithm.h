#pragma once
// The algorithms of the stand-in, invented: they differ in what they need.

#include <cublasLt.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace xf::standin::cublaslt {

struct Algorithm {
  int64_t id = 0;

  /// Bytes of workspace for a result of this many elements.
  [[nodiscard]] size_t workspace_bytes(int64_t elements) const;
  /// Bytes to which every matrix must be aligned.
  [[nodiscard]] uint32_t alignment() const;
};

/// All of them, the fastest first. The last one needs nothing.
std::vector<Algorithm> algorithms();

/// As the caller keeps it.
cublasLtMatmulAlgo_t packed(Algorithm algorithm);
/// Throws Failure for what packed() did not return.
Algorithm unpacked(const cublasLtMatmulAlgo_t& algorithm);

}  // namespace xf::standin::cublaslt
