#include "kernels/cuda/matmul.h"

#include <fmt/format.h>

#include <utility>

#include "engine/core/error.h"

namespace xf::cuda {
namespace {

cudaDataType_t data_type(DType type) {
  switch (type) {
    case DType::bf16: return CUDA_R_16BF;
    case DType::f16: return CUDA_R_16F;
    default: return CUDA_R_32F;
  }
}

cublasLtEpilogue_t epilogue(const Product& p) {
  if (p.act == Activation::relu) return p.bias ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_RELU;
  return p.bias ? CUBLASLT_EPILOGUE_BIAS : CUBLASLT_EPILOGUE_DEFAULT;
}

template <class T>
void set(cublasLtMatmulDesc_t d, cublasLtMatmulDescAttributes_t attribute, const T& value) {
  check(cublasLtMatmulDescSetAttribute(d, attribute, &value, sizeof value), "cublasLtMatmulDescSetAttribute");
}

template <class T>
void set(cublasLtMatmulPreference_t p, cublasLtMatmulPreferenceAttributes_t attribute, const T& value) {
  check(cublasLtMatmulPreferenceSetAttribute(p, attribute, &value, sizeof value),
        "cublasLtMatmulPreferenceSetAttribute");
}

}  // namespace

Matmul::Layout Matmul::layout(DType type, int64_t rows, int64_t columns) {
  cublasLtMatrixLayout_t made = nullptr;
  // A row-major matrix is its transpose to cuBLASLt, which counts along columns.
  check(cublasLtMatrixLayoutCreate(&made, data_type(type), static_cast<uint64_t>(columns),
                                   static_cast<uint64_t>(rows), columns),
        "cublasLtMatrixLayoutCreate");
  return Layout(made);
}

Matmul::Matmul(const Product& product, std::shared_ptr<Libraries> libraries, std::string label)
    : libraries_(std::move(libraries)), label_(std::move(label)), bias_(product.bias) {
  describe(product);
  choose();
}

// dᵀ = bᵀ · aᵀ: cuBLASLt's A is b, and its B is a.
void Matmul::describe(const Product& p) {
  const bool tf32 = p.in == DType::f32 && p.math == Math::tf32;
  cublasLtMatmulDesc_t made = nullptr;
  check(cublasLtMatmulDescCreate(&made, tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F, CUDA_R_32F),
        label_);
  operation_.reset(made);
  set(made, CUBLASLT_MATMUL_DESC_TRANSA, p.b_transposed ? CUBLAS_OP_T : CUBLAS_OP_N);
  set(made, CUBLASLT_MATMUL_DESC_TRANSB, p.a_transposed ? CUBLAS_OP_T : CUBLAS_OP_N);
  set(made, CUBLASLT_MATMUL_DESC_EPILOGUE, epilogue(p));
  a_ = p.a_transposed ? layout(p.in, p.depth, p.rows) : layout(p.in, p.rows, p.depth);
  b_ = p.b_transposed ? layout(p.in, p.columns, p.depth) : layout(p.in, p.depth, p.columns);
  d_ = layout(p.out, p.rows, p.columns);
}

void Matmul::choose() {
  cublasLtMatmulPreference_t made = nullptr;
  check(cublasLtMatmulPreferenceCreate(&made), "cublasLtMatmulPreferenceCreate");
  const std::unique_ptr<cublasLtMatmulPreferenceOpaque_t, Destroy> preference(made);
  set(made, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, libraries_->workspace_limit());
  // Parts of a split sum meet in f32 and in a fixed order.
  set(made, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, uint32_t{CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE});
  int found = 0;
  const cublasStatus_t status =
      cublasLtMatmulAlgoGetHeuristic(libraries_->cublas(), operation_.get(), b_.get(), a_.get(), d_.get(),
                                     d_.get(), made, 1, &choice_, &found);
  if (status != CUBLAS_STATUS_SUCCESS || found == 0 || choice_.state != CUBLAS_STATUS_SUCCESS) {
    const cublasStatus_t reason = status != CUBLAS_STATUS_SUCCESS ? status : CUBLAS_STATUS_NOT_SUPPORTED;
    throw UnavailableError(label_,
                           fmt::format("cuBLASLt has no such product: {}", cublasLtGetStatusString(reason)),
                           "use another --precision");
  }
}

void Matmul::run(cudaStream_t stream, const void* a, const void* b, const float* bias, void* d,
                 void* workspace) {
  if (bias_) set(operation_.get(), CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias);
  const float one = 1, zero = 0;
  check(cublasLtMatmul(libraries_->cublas(), operation_.get(), &one, b, b_.get(), a, a_.get(), &zero, d,
                       d_.get(), d, d_.get(), &choice_.algo, workspace, choice_.workspaceSize, stream),
        label_);
}

}  // namespace xf::cuda
