// The stand-in for cuBLASLt: products as plain loops compute them, choices between algorithms, and the
// mistakes that must be found.

#include <cublasLt.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/standin/device.h"
#include "tests/standin/device_array.h"

namespace xf::standin {
namespace {

using Values = std::vector<double>;

cudaDataType data_type(Element e) {
  switch (e) {
    case Element::f32: return CUDA_R_32F;
    case Element::bf16: return CUDA_R_16BF;
    case Element::f16: break;
  }
  return CUDA_R_16F;
}

/// A column-major matrix in host memory, `ld` elements from column to column.
struct Matrix {
  int64_t rows, columns, ld;
  Values values;

  Matrix(int64_t r, int64_t c, int64_t gap, uint64_t seed)
      : rows(r), columns(c), ld(r + gap), values(whole_numbers(static_cast<size_t>(ld * c), seed)) {}
  [[nodiscard]] double at(int64_t i, int64_t j) const { return values[static_cast<size_t>(j * ld + i)]; }
};

struct Case {
  bool a_transposed = false, b_transposed = false;
  cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_DEFAULT;
  Element inputs = Element::f32, output = Element::f32, bias = Element::f32;
  float alpha = 1, beta = 0;
  int64_t gap = 0;  ///< elements between columns
  cublasComputeType_t compute = CUBLAS_COMPUTE_32F;
};

/// A product, made step by step so that a test can spoil one.
class Product {
 public:
  static constexpr int64_t m = 24, n = 8, k = 16;

  explicit Product(const Case& c)
      : setting(c),
        a(c.a_transposed ? k : m, c.a_transposed ? m : k, c.gap, 1),
        b(c.b_transposed ? n : k, c.b_transposed ? k : n, c.gap, 2),
        d(m, n, c.gap, 3),
        bias(whole_numbers(m, 4)),
        a_memory(c.inputs, a.values, stream),
        b_memory(c.inputs, b.values, stream),
        d_memory(c.output, d.values, stream),
        bias_memory(c.bias, bias, stream),
        alpha(c.alpha),
        beta(c.beta) {
    REQUIRE(cublasLtCreate(&handle) == CUBLAS_STATUS_SUCCESS);
    REQUIRE(cublasLtMatmulDescCreate(&product, c.compute, CUDA_R_32F) == CUBLAS_STATUS_SUCCESS);
    const auto layout = [](cublasLtMatrixLayout_t& l, Element e, const Matrix& matrix) {
      REQUIRE(cublasLtMatrixLayoutCreate(&l, data_type(e), static_cast<uint64_t>(matrix.rows),
                                         static_cast<uint64_t>(matrix.columns),
                                         matrix.ld) == CUBLAS_STATUS_SUCCESS);
    };
    layout(a_layout, c.inputs, a);
    layout(b_layout, c.inputs, b);
    layout(d_layout, c.output, d);
    REQUIRE(cublasLtMatmulPreferenceCreate(&preference) == CUBLAS_STATUS_SUCCESS);
    set(CUBLASLT_MATMUL_DESC_TRANSA, int32_t{c.a_transposed ? CUBLAS_OP_T : CUBLAS_OP_N});
    set(CUBLASLT_MATMUL_DESC_TRANSB, int32_t{c.b_transposed ? CUBLAS_OP_T : CUBLAS_OP_N});
    set(CUBLASLT_MATMUL_DESC_EPILOGUE, static_cast<uint32_t>(c.epilogue));
    set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, static_cast<const void*>(bias_memory.data()));
    set(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, static_cast<int32_t>(data_type(c.bias)));
    a_at = a_memory.data();
    b_at = b_memory.data();
    c_at = d_at = d_memory.data();
  }
  ~Product() {
    cublasLtMatmulPreferenceDestroy(preference);
    for (const auto l : {a_layout, b_layout, d_layout}) cublasLtMatrixLayoutDestroy(l);
    cublasLtMatmulDescDestroy(product);
    cublasLtDestroy(handle);
  }
  Product(const Product&) = delete;
  Product& operator=(const Product&) = delete;

  template <class T>
  void set(cublasLtMatmulDescAttributes_t attribute, T value) {
    REQUIRE(cublasLtMatmulDescSetAttribute(product, attribute, &value, sizeof value) ==
            CUBLAS_STATUS_SUCCESS);
  }
  void allow_workspace(uint64_t bytes) {
    REQUIRE(cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &bytes,
                                                 sizeof bytes) == CUBLAS_STATUS_SUCCESS);
  }
  [[nodiscard]] std::vector<cublasLtMatmulHeuristicResult_t> proposals(int most = 8) {
    std::vector<cublasLtMatmulHeuristicResult_t> all(static_cast<size_t>(most));
    int count = 0;
    REQUIRE(cublasLtMatmulAlgoGetHeuristic(handle, product, a_layout, b_layout, d_layout, d_layout,
                                           preference, most, all.data(), &count) == CUBLAS_STATUS_SUCCESS);
    all.resize(static_cast<size_t>(count));
    return all;
  }
  /// Takes the algorithm, and reserves its workspace.
  void choose(const cublasLtMatmulHeuristicResult_t& result) {
    algorithm = result.algo;
    workspace_bytes = result.workspaceSize;
    workspace = std::make_unique<DeviceArray>(Element::bf16, (workspace_bytes + 1) / 2);
    workspace_at = workspace->data();
  }
  cublasStatus_t multiply() {
    return cublasLtMatmul(handle, product, &alpha, a_at, a_layout, b_at, b_layout, &beta, c_at, d_layout,
                          d_at, d_layout, &algorithm, workspace_at, workspace_bytes, stream);
  }
  /// All of D's memory.
  [[nodiscard]] Values result() const { return d_memory.download(stream); }
  [[nodiscard]] Values expected() const {
    Values out = rounded(setting.output, d.values);
    for (int64_t j = 0; j < n; ++j)
      for (int64_t i = 0; i < m; ++i) {
        double sum = 0;
        for (int64_t l = 0; l < k; ++l)
          sum += (setting.a_transposed ? a.at(l, i) : a.at(i, l)) *
                 (setting.b_transposed ? b.at(j, l) : b.at(l, j));
        double v = setting.alpha * sum + setting.beta * d.at(i, j);
        if ((setting.epilogue & CUBLASLT_EPILOGUE_BIAS) != 0) v += bias[static_cast<size_t>(i)];
        if ((setting.epilogue & CUBLASLT_EPILOGUE_RELU) != 0) v = std::max(v, 0.0);
        out[static_cast<size_t>(j * d.ld + i)] = rounded(setting.output, v);
      }
    return out;
  }

  Case setting;
  TestStream stream;
  Matrix a, b, d;
  Values bias;
  DeviceArray a_memory, b_memory, d_memory, bias_memory;
  std::unique_ptr<DeviceArray> workspace;
  cublasLtHandle_t handle = nullptr;
  cublasLtMatmulDesc_t product = nullptr;
  cublasLtMatrixLayout_t a_layout = nullptr, b_layout = nullptr, d_layout = nullptr;
  cublasLtMatmulPreference_t preference = nullptr;
  cublasLtMatmulAlgo_t algorithm{};
  float alpha, beta;
  const char *a_at = nullptr, *b_at = nullptr, *c_at = nullptr;
  char *d_at = nullptr, *workspace_at = nullptr;
  size_t workspace_bytes = 0;
};

constexpr uint64_t kMiB = 1 << 20;

TEST_CASE("cublasLt: products with epilogues are what plain loops compute") {
  std::vector<Case> cases;
  for (const Element e : {Element::f32, Element::bf16, Element::f16}) {
    for (const bool a : {false, true})
      for (const bool b : {false, true})
        cases.push_back({.a_transposed = a, .b_transposed = b, .inputs = e, .output = e, .gap = 8});
    for (const auto epilogue : {CUBLASLT_EPILOGUE_BIAS, CUBLASLT_EPILOGUE_RELU, CUBLASLT_EPILOGUE_RELU_BIAS})
      cases.push_back({.epilogue = epilogue, .inputs = e, .output = e, .bias = e});
    cases.push_back({.epilogue = CUBLASLT_EPILOGUE_BIAS, .inputs = e, .output = e, .bias = Element::f32});
    cases.push_back({.inputs = e, .output = Element::f32, .alpha = 0.5F, .beta = 2, .gap = 8});
  }
  for (const Case& c : cases) {
    CAPTURE(static_cast<int>(c.inputs));
    CAPTURE(static_cast<int>(c.epilogue));
    Product p(c);
    p.allow_workspace(kMiB);
    p.choose(p.proposals(1).at(0));
    REQUIRE(p.multiply() == CUBLAS_STATUS_SUCCESS);
    CHECK(p.result() == p.expected());
  }
}

TEST_CASE("cublasLt: alpha and beta are read at the call, the rest when the stream runs") {
  Product p({});
  p.allow_workspace(kMiB);
  p.choose(p.proposals().at(0));
  REQUIRE(p.multiply() == CUBLAS_STATUS_SUCCESS);
  p.alpha = NAN;
  CHECK(p.d_memory.download(p.stream, false)[0] == 0);
  CHECK(p.result() == p.expected());
}

TEST_CASE("cublasLt: with beta 0 nothing is read where the result goes") {
  Product p({});
  check(cudaMemsetAsync(p.d_at, 0xFF, p.d_memory.bytes(), p.stream));
  p.choose(p.proposals().at(0));
  REQUIRE(p.multiply() == CUBLAS_STATUS_SUCCESS);
  CHECK(p.result() == p.expected());
}

TEST_CASE("cublasLt: TF32 is only what was asked for, and shows") {
  for (const auto compute : {CUBLAS_COMPUTE_32F, CUBLAS_COMPUTE_32F_FAST_TF32}) {
    Product p({.compute = compute});
    const DeviceArray third(Element::f32, Values(Product::m * Product::k, 1.0 / 3), p.stream);
    p.a_at = third.data();
    p.choose(p.proposals().at(0));
    REQUIRE(p.multiply() == CUBLAS_STATUS_SUCCESS);
    double sum = 0;
    for (int64_t l = 0; l < Product::k; ++l) sum += p.b.at(l, 0) * (1.0 / 3);
    CHECK((std::abs(p.result()[0] - sum) < 1e-5 * std::abs(sum)) == (compute == CUBLAS_COMPUTE_32F));
  }
}

TEST_CASE("cublasLt: algorithms differ in workspace and alignment") {
  Product p({});
  CHECK(p.proposals(1).at(0).workspaceSize == 0);  // none is allowed by default
  p.allow_workspace(kMiB);
  const auto all = p.proposals();
  REQUIRE(all.size() == 4);
  CHECK(all[0].workspaceSize > 0);
  for (const auto& one : all) {
    CHECK((one.state == CUBLAS_STATUS_SUCCESS) == (one.workspaceSize <= kMiB));
    if (one.state != CUBLAS_STATUS_SUCCESS) continue;
    p.choose(one);
    REQUIRE(p.multiply() == CUBLAS_STATUS_SUCCESS);
    CHECK(p.result() == p.expected());
  }
  CHECK(std::ranges::any_of(all, [](const auto& one) { return one.state != CUBLAS_STATUS_SUCCESS; }));
  const uint32_t four = 4;
  REQUIRE(cublasLtMatmulPreferenceSetAttribute(p.preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
                                               &four, sizeof four) == CUBLAS_STATUS_SUCCESS);
  CHECK(p.proposals().size() == 1);
}

TEST_CASE("cublasLt: nothing is kept in the workspace") {
  Product p({});
  p.allow_workspace(kMiB);
  p.choose(p.proposals().at(0));
  check(cudaMemsetAsync(p.workspace_at, 0, p.workspace_bytes, p.stream));
  REQUIRE(p.multiply() == CUBLAS_STATUS_SUCCESS);
  CHECK(std::ranges::all_of(p.workspace->download(p.stream), [](double v) { return std::isnan(v); }));
}

TEST_CASE("cublasLt: mistakes of the caller are found at the call") {
  struct Mistake {
    const char* what;
    std::function<void(Product&)> make;
  };
  static std::array<float, 4096> host;
  const std::vector<Mistake> mistakes{
      {"an operand that is too small", [](Product& p) { p.a_at += 256; }},
      {"an operand in host memory", [](Product& p) { p.b_at = reinterpret_cast<const char*>(host.data()); }},
      {"a null operand", [](Product& p) { p.c_at = nullptr; }},
      {"an operand that the algorithm cannot take",
       [](Product& p) {
         p.a_memory = DeviceArray(Element::f32, p.a.values.size() + 1);
         p.a_at = p.a_memory.data() + 4;
       }},
      {"the result over an operand", [](Product& p) { p.d_at = p.a_memory.data(); }},
      {"the result over half of C",
       [](Product& p) {
         p.d_memory = DeviceArray(Element::f32, 1024);
         p.c_at = p.d_memory.data();
         p.d_at = p.d_memory.data() + 256;
       }},
      {"the result over the bias",
       [](Product& p) { p.set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, static_cast<const void*>(p.d_at)); }},
      {"freed memory", [](Product& p) { check(cudaFree(p.b_memory.data())); }},
      {"a workspace that is too small", [](Product& p) { --p.workspace_bytes; }},
      {"no workspace", [](Product& p) { p.workspace_at = nullptr; }},
      {"a misaligned workspace",
       [](Product& p) {
         p.workspace = std::make_unique<DeviceArray>(Element::f32, 4096);
         p.workspace_at = p.workspace->data() + 16;
       }},
      {"a workspace over an operand",
       [](Product& p) {
         p.workspace = std::make_unique<DeviceArray>(Element::f32, 4096);
         p.workspace_at = p.workspace->data();
         p.a_at = p.workspace->data() + 256;
       }},
      {"an algorithm that nobody chose", [](Product& p) { p.algorithm = {}; }},
      {"columns that overlap",
       [](Product& p) {
         const int64_t ld = Product::m - 1;
         CHECK(cublasLtMatrixLayoutSetAttribute(p.a_layout, CUBLASLT_MATRIX_LAYOUT_LD, &ld, sizeof ld) == 0);
       }},
      {"a leading dimension beyond the memory",
       [](Product& p) {
         const int64_t ld = Product::m + 1;
         CHECK(cublasLtMatrixLayoutSetAttribute(p.a_layout, CUBLASLT_MATRIX_LAYOUT_LD, &ld, sizeof ld) == 0);
       }},
      {"a forgotten transposition",
       [](Product& p) { p.set(CUBLASLT_MATMUL_DESC_TRANSA, int32_t{CUBLAS_OP_T}); }},
      {"an inner dimension that differs",
       [](Product& p) {
         const uint64_t rows = Product::k - 1;
         CHECK(cublasLtMatrixLayoutSetAttribute(p.b_layout, CUBLASLT_MATRIX_LAYOUT_ROWS, &rows,
                                                sizeof rows) == 0);
       }},
      {"a result of another size",
       [](Product& p) {
         const uint64_t rows = Product::m - 1;
         CHECK(cublasLtMatrixLayoutSetAttribute(p.d_layout, CUBLASLT_MATRIX_LAYOUT_ROWS, &rows,
                                                sizeof rows) == 0);
       }},
      {"a null bias",
       [](Product& p) { p.set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, static_cast<const void*>(nullptr)); }},
      {"a bias of another type",
       [](Product& p) {
         p.bias_memory = DeviceArray(Element::bf16, p.bias, p.stream);
         p.set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, static_cast<const void*>(p.bias_memory.data()));
       }},
      {"alpha on the device", [](Product& p) { p.set(CUBLASLT_MATMUL_DESC_POINTER_MODE, int32_t{1}); }},
      {"types that do not go together",
       [](Product& p) {
         const int32_t type = CUDA_R_16F;
         CHECK(cublasLtMatrixLayoutSetAttribute(p.b_layout, CUBLASLT_MATRIX_LAYOUT_TYPE, &type,
                                                sizeof type) == 0);
       }},
  };
  for (const Mistake& mistake : mistakes) {
    CAPTURE(mistake.what);
    Product p({.epilogue = CUBLASLT_EPILOGUE_BIAS});
    p.allow_workspace(kMiB);
    p.choose(p.proposals().at(0));
    CHECK(p.multiply() == CUBLAS_STATUS_SUCCESS);
    CHECK(p.result() == p.expected());
    mistake.make(p);
    CHECK(p.multiply() != CUBLAS_STATUS_SUCCESS);
  }
}

TEST_CASE("cublasLt: an attribute's size is checked") {
  Product p({});
  const int64_t wide = CUBLASLT_EPILOGUE_BIAS;
  CHECK(cublasLtMatmulDescSetAttribute(p.product, CUBLASLT_MATMUL_DESC_EPILOGUE, &wide, sizeof wide) ==
        CUBLAS_STATUS_INVALID_VALUE);
  CHECK(cublasLtMatmulDescSetAttribute(p.product, CUBLASLT_MATMUL_DESC_EPILOGUE, nullptr, 4) ==
        CUBLAS_STATUS_INVALID_VALUE);
}

TEST_CASE("cublasLt: a captured product replays, and finds memory that was freed since") {
  Product p({.epilogue = CUBLASLT_EPILOGUE_RELU});
  p.allow_workspace(kMiB);
  p.choose(p.proposals().at(0));
  cudaGraph_t captured = nullptr;
  cudaGraphExec_t executable = nullptr;
  check(cudaStreamBeginCapture(p.stream, cudaStreamCaptureModeThreadLocal));
  REQUIRE(p.multiply() == CUBLAS_STATUS_SUCCESS);
  check(cudaStreamEndCapture(p.stream, &captured));
  check(cudaGraphInstantiate(&executable, captured, 0));
  check(cudaGraphDestroy(captured));
  for (int replay = 0; replay < 2; ++replay) {
    check(cudaMemsetAsync(p.d_at, 0xFF, p.d_memory.bytes(), p.stream));
    check(cudaGraphLaunch(executable, p.stream));
    CHECK(p.result() == p.expected());
  }
  p.workspace.reset();
  check(cudaGraphLaunch(executable, p.stream));
  CHECK_THROWS(p.stream.synchronize());
  check(cudaGraphExecDestroy(executable));
}

TEST_CASE("cublasLt: there is no handle without a driver") {
  const Machine before = machine();
  machine().driver_version = 0;
  cublasLtHandle_t handle = nullptr;
  CHECK(cublasLtCreate(&handle) == CUBLAS_STATUS_NOT_INITIALIZED);
  machine() = before;
}

}  // namespace
}  // namespace xf::standin
