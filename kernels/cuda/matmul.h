#pragma once
// Matrix products through cuBLASLt.

#include <cublasLt.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "engine/core/dtype.h"
#include "engine/graph/ops.h"
#include "kernels/cuda/handles.h"

namespace xf::cuda {

/// d = act(a · b + bias) over dense row-major matrices: d is rows × columns, a rows × depth, b depth ×
/// columns, or the transposes of those; bias has `columns` f32 elements. Sums are f32.
struct Product {
  int64_t rows = 0, columns = 0, depth = 0;
  bool a_transposed = false, b_transposed = false;
  DType in = DType::f32;   ///< of a and b
  DType out = DType::f32;  ///< f32, or that of a and b
  Math math = Math::f32;   ///< where `in` is f32
  bool bias = false;       ///< bias and activation: where `out` is f32
  Activation act = Activation::none;
};

/// A product made ready: cuBLASLt's first choice for it, which does not depend on any timing.
class Matmul {
 public:
  /// `label` names the node and its shapes in errors. Throws UnavailableError where cuBLASLt has no way.
  Matmul(const Product& product, std::shared_ptr<Libraries> libraries, std::string label);

  [[nodiscard]] size_t workspace() const { return choice_.workspaceSize; }
  /// Queued on `stream`. Throws InternalError.
  void run(cudaStream_t stream, const void* a, const void* b, const float* bias, void* d, void* workspace);

 private:
  struct Destroy {
    void operator()(cublasLtMatmulDesc_t d) const { cublasLtMatmulDescDestroy(d); }
    void operator()(cublasLtMatrixLayout_t l) const { cublasLtMatrixLayoutDestroy(l); }
    void operator()(cublasLtMatmulPreference_t p) const { cublasLtMatmulPreferenceDestroy(p); }
  };
  using Layout = std::unique_ptr<cublasLtMatrixLayoutOpaque_t, Destroy>;
  static Layout layout(DType type, int64_t rows, int64_t columns);
  void describe(const Product& product);
  void choose();

  std::shared_ptr<Libraries> libraries_;
  std::string label_;
  bool bias_;
  std::unique_ptr<cublasLtMatmulDescOpaque_t, Destroy> operation_;
  Layout a_, b_, d_;
  cublasLtMatmulHeuristicResult_t choice_{};
};

}  // namespace xf::cuda
