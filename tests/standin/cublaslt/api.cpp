// cuBLASLt's C interface with its own prototypes: single products, not batches, of f32, bf16 and f16.

#include <cublasLt.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <type_traits>
#include <vector>

#include "tests/standin/cublaslt/matmul.h"
#include "tests/standin/device.h"

using namespace xf::standin;
using namespace xf::standin::cublaslt;

// cuBLASLt's opaque type is ours to define.
struct cublasLtContext {};

namespace {

template <class F>
cublasStatus_t guarded(F f) {
  try {
    f();
    return CUBLAS_STATUS_SUCCESS;
  } catch (const Failure& e) {
    return e.status;
  }
}

// Ours lies in the words of the library's own structure.
template <class Ours, class Theirs>
Ours& inside(Theirs* descriptor) {
  static_assert(sizeof(Ours) <= sizeof(Theirs) && std::is_trivially_copyable_v<Ours>);
  require(descriptor != nullptr);
  return *std::launder(static_cast<Ours*>(static_cast<void*>(descriptor->data)));
}

template <class Ours, class Theirs>
cublasStatus_t initialize(Theirs* descriptor, size_t size, const Ours& value) {
  if (size < sizeof(Theirs)) return CUBLAS_STATUS_ALLOC_FAILED;
  return guarded([&] {
    require(descriptor != nullptr);
    new (descriptor->data) Ours(value);
  });
}

template <class Ours, class Theirs>
cublasStatus_t create(Theirs** descriptor, const Ours& value) {
  *descriptor = new Theirs;
  return initialize(*descriptor, sizeof(Theirs), value);
}

template <class T>
void assign(T& field, const void* value, size_t size) {
  require(value != nullptr && size == sizeof field);
  std::memcpy(&field, value, size);
}

Problem problem_of(cublasLtMatmulDesc_t product, cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                   cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d) {
  return {inside<Product>(product), inside<Layout>(a), inside<Layout>(b), inside<Layout>(c),
          inside<Layout>(d)};
}

}  // namespace

extern "C" {

size_t cublasLtGetVersion() { return CUBLAS_VERSION; }
size_t cublasLtGetCudartVersion() { return CUDART_VERSION; }

const char* cublasLtGetStatusName(cublasStatus_t status) {
  switch (status) {
    case CUBLAS_STATUS_SUCCESS: return "CUBLAS_STATUS_SUCCESS";
    case CUBLAS_STATUS_NOT_INITIALIZED: return "CUBLAS_STATUS_NOT_INITIALIZED";
    case CUBLAS_STATUS_INVALID_VALUE: return "CUBLAS_STATUS_INVALID_VALUE";
    case CUBLAS_STATUS_NOT_SUPPORTED: return "CUBLAS_STATUS_NOT_SUPPORTED";
    default: return "CUBLAS_STATUS of the stand-in";
  }
}
const char* cublasLtGetStatusString(cublasStatus_t status) { return cublasLtGetStatusName(status); }

cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) {
  if (machine().driver_version < CUDART_VERSION || machine().devices == 0)
    return CUBLAS_STATUS_NOT_INITIALIZED;
  *handle = new cublasLtContext;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle) {
  delete handle;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatrixLayoutInit_internal(cublasLtMatrixLayout_t layout, size_t size,
                                                 cudaDataType type, uint64_t rows, uint64_t columns,
                                                 int64_t ld) {
  return initialize(layout, size, Layout{type, CUBLASLT_ORDER_COL, rows, columns, ld});
}
cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* layout, cudaDataType type, uint64_t rows,
                                          uint64_t columns, int64_t ld) {
  return create(layout, Layout{type, CUBLASLT_ORDER_COL, rows, columns, ld});
}
cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout) {
  delete layout;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t layout,
                                                cublasLtMatrixLayoutAttribute_t attribute, const void* value,
                                                size_t size) {
  return guarded([&] {
    auto& l = inside<Layout>(layout);
    switch (attribute) {
      case CUBLASLT_MATRIX_LAYOUT_TYPE: return assign(l.type, value, size);
      case CUBLASLT_MATRIX_LAYOUT_ORDER: return assign(l.order, value, size);
      case CUBLASLT_MATRIX_LAYOUT_ROWS: return assign(l.rows, value, size);
      case CUBLASLT_MATRIX_LAYOUT_COLS: return assign(l.columns, value, size);
      case CUBLASLT_MATRIX_LAYOUT_LD: return assign(l.ld, value, size);
      case CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT: return assign(l.batches, value, size);
      default: throw Failure{CUBLAS_STATUS_NOT_SUPPORTED};
    }
  });
}

cublasStatus_t cublasLtMatmulDescInit_internal(cublasLtMatmulDesc_t product, size_t size,
                                               cublasComputeType_t compute_type, cudaDataType_t scale_type) {
  return initialize(product, size, Product{compute_type, scale_type});
}
cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* product, cublasComputeType_t compute_type,
                                        cudaDataType_t scale_type) {
  return create(product, Product{compute_type, scale_type});
}
cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t product) {
  delete product;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t product,
                                              cublasLtMatmulDescAttributes_t attribute, const void* value,
                                              size_t size) {
  return guarded([&] {
    auto& p = inside<Product>(product);
    switch (attribute) {
      case CUBLASLT_MATMUL_DESC_COMPUTE_TYPE: return assign(p.compute_type, value, size);
      case CUBLASLT_MATMUL_DESC_SCALE_TYPE: return assign(p.scale_type, value, size);
      case CUBLASLT_MATMUL_DESC_POINTER_MODE: return assign(p.pointer_mode, value, size);
      case CUBLASLT_MATMUL_DESC_TRANSA: return assign(p.a_transform, value, size);
      case CUBLASLT_MATMUL_DESC_TRANSB: return assign(p.b_transform, value, size);
      case CUBLASLT_MATMUL_DESC_EPILOGUE: return assign(p.epilogue, value, size);
      case CUBLASLT_MATMUL_DESC_BIAS_POINTER: return assign(p.bias, value, size);
      case CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE: return assign(p.bias_type, value, size);
      default: throw Failure{CUBLAS_STATUS_NOT_SUPPORTED};
    }
  });
}

cublasStatus_t cublasLtMatmulPreferenceInit_internal(cublasLtMatmulPreference_t preference, size_t size) {
  return initialize(preference, size, Preference{});
}
cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* preference) {
  return create(preference, Preference{});
}
cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t preference) {
  delete preference;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t preference,
                                                    cublasLtMatmulPreferenceAttributes_t attribute,
                                                    const void* value, size_t size) {
  return guarded([&] {
    auto& p = inside<Preference>(preference);
    switch (attribute) {
      case CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES: return assign(p.most_workspace, value, size);
      case CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK: return assign(p.reductions, value, size);
      case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES: return assign(p.alignments[0], value, size);
      case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES: return assign(p.alignments[1], value, size);
      case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES: return assign(p.alignments[2], value, size);
      case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES: return assign(p.alignments[3], value, size);
      default: throw Failure{CUBLAS_STATUS_NOT_SUPPORTED};
    }
  });
}

// What exceeds the allowed workspace is listed too, after one that fits, with a state that says so.
cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t handle, cublasLtMatmulDesc_t product,
                                              cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                              cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                                              cublasLtMatmulPreference_t preference, int requested,
                                              cublasLtMatmulHeuristicResult_t results[], int* count) {
  return guarded([&] {
    require(handle != nullptr, CUBLAS_STATUS_NOT_INITIALIZED);
    require(requested > 0 && results != nullptr && count != nullptr);
    const Problem problem = problem_of(product, a, b, c, d);
    problem.check();
    const auto& wanted = inside<Preference>(preference);
    const uint32_t aligned = *std::ranges::min_element(wanted.alignments);
    std::vector<cublasLtMatmulHeuristicResult_t> all;
    for (const Algorithm algorithm : algorithms()) {
      if (algorithm.alignment() > aligned) continue;
      const size_t bytes =
          algorithm.workspace_bytes(static_cast<int64_t>(problem.d.rows * problem.d.columns));
      const bool fits = bytes <= wanted.most_workspace;
      all.push_back(
          {packed(algorithm), bytes, fits ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_NOT_SUPPORTED, 1.0F, {}});
    }
    const auto first = std::ranges::find(all, CUBLAS_STATUS_SUCCESS, &cublasLtMatmulHeuristicResult_t::state);
    std::rotate(all.begin(), first, first + 1);
    *count = std::min(requested, static_cast<int>(all.size()));
    std::copy_n(all.begin(), *count, results);
  });
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t handle, cublasLtMatmulDesc_t product, const void* alpha,
                              const void* A, cublasLtMatrixLayout_t a, const void* B,
                              cublasLtMatrixLayout_t b, const void* beta, const void* C,
                              cublasLtMatrixLayout_t c, void* D, cublasLtMatrixLayout_t d,
                              const cublasLtMatmulAlgo_t* algorithm, void* workspace, size_t workspace_bytes,
                              cudaStream_t stream) {
  return guarded([&] {
    require(handle != nullptr, CUBLAS_STATUS_NOT_INITIALIZED);
    multiply(problem_of(product, a, b, c, d), {alpha, A, B, beta, C, D, workspace, workspace_bytes},
             algorithm != nullptr ? unpacked(*algorithm) : algorithms().back(), stream);
  });
}

}  // extern "C"
