#pragma once
// D = epilogue(alpha op(A) op(B) + beta C): descriptors as cuBLASLt keeps them, checks, and the work.

#include <cublasLt.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "tests/standin/cublaslt/algorithm.h"
#include "tests/standin/placed.h"

namespace xf::standin::cublaslt {

/// Thrown inside; the C interface turns it into its status.
struct Failure {
  cublasStatus_t status;
};

inline void require(bool condition, cublasStatus_t status = CUBLAS_STATUS_INVALID_VALUE) {
  if (!condition) throw Failure{status};
}

/// A matrix in memory, column after column `ld` elements apart.
struct Layout {
  int32_t type = 0;
  int32_t order = CUBLASLT_ORDER_COL;
  uint64_t rows = 0, columns = 0;
  int64_t ld = 0;
  int32_t batches = 1;
};

struct Product {
  int32_t compute_type = 0, scale_type = 0;
  int32_t pointer_mode = CUBLASLT_POINTER_MODE_HOST;
  int32_t a_transform = CUBLAS_OP_N, b_transform = CUBLAS_OP_N;
  uint32_t epilogue = CUBLASLT_EPILOGUE_DEFAULT;
  const void* bias = nullptr;
  int32_t bias_type = -1;  ///< -1: that of D
};

struct Preference {
  uint64_t most_workspace = 0;
  uint32_t reductions = CUBLASLT_REDUCTION_SCHEME_MASK;    ///< allowed; the stand-in adds up in one piece
  std::array<uint32_t, 4> alignments{256, 256, 256, 256};  ///< of A, B, C and D
};

struct Problem {
  Product product;
  Layout a, b, c, d;

  [[nodiscard]] int64_t inner() const;
  /// Throws Failure when the matrices do not fit each other, or are not emulated.
  void check() const;
};

struct Operands {
  const void *alpha, *a, *b, *beta, *c;
  void* d;
  void* workspace;
  size_t workspace_bytes;
};

/// Queues the product; alpha and beta are read here. Throws Failure for memory that is not the device's, too
/// small, misaligned or shared.
void multiply(const Problem& problem, const Operands& operands, Algorithm algorithm, cudaStream_t stream);

}  // namespace xf::standin::cublaslt
