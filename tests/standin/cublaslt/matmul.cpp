#include "tests/standin/cublaslt/matmul.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <vector>

#include "tests/standin/device.h"
#include "tests/standin/floats.h"
#include "tests/standin/streams.h"

namespace xf::standin::cublaslt {
namespace {

constexpr uintptr_t kWorkspaceAlignment = 256;

Element element(int32_t type) {
  switch (type) {
    case CUDA_R_32F: return Element::f32;
    case CUDA_R_16BF: return Element::bf16;
    case CUDA_R_16F: return Element::f16;
    default: throw Failure{CUBLAS_STATUS_NOT_SUPPORTED};
  }
}

bool has_bias(const Product& p) {
  return p.epilogue == CUBLASLT_EPILOGUE_BIAS || p.epilogue == CUBLASLT_EPILOGUE_RELU_BIAS;
}
bool has_relu(const Product& p) {
  return p.epilogue == CUBLASLT_EPILOGUE_RELU || p.epilogue == CUBLASLT_EPILOGUE_RELU_BIAS;
}

void check_layout(const Layout& l) {
  element(l.type);
  require(l.order == CUBLASLT_ORDER_COL && l.batches == 1, CUBLAS_STATUS_NOT_SUPPORTED);
  require(l.rows > 0 && l.columns > 0 && l.ld >= static_cast<int64_t>(l.rows));
}

Placed placed(const Layout& l, const void* memory) {
  Placed p{static_cast<const char*>(memory), {}, size_of(element(l.type))};
  for (int64_t j = 0; j < static_cast<int64_t>(l.columns); ++j)
    for (int64_t i = 0; i < static_cast<int64_t>(l.rows); ++i) p.offsets.push_back(j * l.ld + i);
  return p;
}

size_t bytes(const Layout& l) {
  return ((l.columns - 1) * static_cast<size_t>(l.ld) + l.rows) * size_of(element(l.type));
}

// Elements of op(matrix), by row and column.
class Matrix {
 public:
  Matrix(const Layout& l, int32_t transform, const void* memory)
      : element_(element(l.type)), ld_(l.ld), transposed_(transform != CUBLAS_OP_N), memory_(memory) {}
  [[nodiscard]] double operator()(int64_t i, int64_t j) const {
    return load(element_, memory_, transposed_ ? i * ld_ + j : j * ld_ + i);
  }

 private:
  Element element_;
  int64_t ld_;
  bool transposed_;
  const void* memory_;
};

struct Work {
  Problem problem;
  Operands operands;
  double alpha, beta;
  Algorithm algorithm;

  [[nodiscard]] Element bias_element() const {
    return element(problem.product.bias_type == -1 ? problem.d.type : problem.product.bias_type);
  }
};

bool apart(const void* a, size_t a_bytes, const void* b, size_t b_bytes) {
  const auto *p = static_cast<const char*>(a), *q = static_cast<const char*>(b);
  return p + a_bytes <= q || q + b_bytes <= p;
}

void check_memory(const Work& w) {
  const auto& [product, a, b, c, d] = w.problem;
  const Operands& o = w.operands;
  const size_t workspace = w.algorithm.workspace_bytes(static_cast<int64_t>(d.rows * d.columns));
  require(o.workspace_bytes >= workspace);
  require(workspace == 0 || device_memory().holds(o.workspace, o.workspace_bytes));
  require(reinterpret_cast<uintptr_t>(o.workspace) % kWorkspaceAlignment == 0);

  const auto check = [&](const void* memory, size_t size, uintptr_t alignment) {
    require(device_memory().holds(memory, size));
    require(reinterpret_cast<uintptr_t>(memory) % alignment == 0);
    require(apart(memory, size, o.workspace, workspace));
  };
  const auto check_matrix = [&](const Layout& l, const void* memory) {
    check(memory, bytes(l), std::max<uintptr_t>(w.algorithm.alignment(), size_of(element(l.type))));
  };
  check_matrix(a, o.a);
  check_matrix(b, o.b);
  check_matrix(c, o.c);
  check_matrix(d, o.d);
  const Placed to = placed(d, o.d);
  require(!share_memory(to, placed(a, o.a)) && !share_memory(to, placed(b, o.b)));
  require((o.c == o.d && c.ld == d.ld) || !share_memory(to, placed(c, o.c)));
  if (has_bias(product)) {
    const size_t size = size_of(w.bias_element()), all = d.rows * size;
    check(product.bias, all, size);
    require(apart(product.bias, all, o.d, bytes(d)));
  }
}

void run_on_device(const Work& w) {
  try {
    check_memory(w);  // again: a captured product may come long after the call
  } catch (const Failure&) {
    throw std::runtime_error("stand-in: when a matrix product ran, its memory was not what it had been");
  }
  const auto& [product, a, b, c, d] = w.problem;
  if (const size_t n = w.algorithm.workspace_bytes(static_cast<int64_t>(d.rows * d.columns)); n > 0)
    std::memset(w.operands.workspace, 0xFF, n);
  const Matrix left(a, product.a_transform, w.operands.a), right(b, product.b_transform, w.operands.b),
      added(c, CUBLAS_OP_N, w.operands.c);
  const bool cut = product.compute_type == CUBLAS_COMPUTE_32F_FAST_TF32;
  const auto factor = [&](double v) { return cut ? tf32(v) : v; };
  std::vector<double> out;
  for (int64_t j = 0; j < static_cast<int64_t>(d.columns); ++j)
    for (int64_t i = 0; i < static_cast<int64_t>(d.rows); ++i) {
      double sum = 0;
      for (int64_t k = 0; k < w.problem.inner(); ++k) sum += factor(left(i, k)) * factor(right(k, j));
      sum *= w.alpha;
      if (w.beta != 0) sum += w.beta * added(i, j);
      if (has_bias(product)) sum += load(w.bias_element(), product.bias, i);
      out.push_back(has_relu(product) && sum < 0 ? 0 : sum);
    }
  for (int64_t j = 0; j < static_cast<int64_t>(d.columns); ++j)
    for (int64_t i = 0; i < static_cast<int64_t>(d.rows); ++i)
      store(element(d.type), w.operands.d, j * d.ld + i,
            out[static_cast<size_t>(j * static_cast<int64_t>(d.rows) + i)]);
}

}  // namespace

int64_t Problem::inner() const {
  return static_cast<int64_t>(product.a_transform == CUBLAS_OP_N ? a.columns : a.rows);
}

void Problem::check() const {
  require(product.compute_type == CUBLAS_COMPUTE_32F || product.compute_type == CUBLAS_COMPUTE_32F_PEDANTIC ||
              product.compute_type == CUBLAS_COMPUTE_32F_FAST_TF32,
          CUBLAS_STATUS_NOT_SUPPORTED);
  require(product.scale_type == CUDA_R_32F && product.pointer_mode == CUBLASLT_POINTER_MODE_HOST,
          CUBLAS_STATUS_NOT_SUPPORTED);
  require(product.epilogue == CUBLASLT_EPILOGUE_DEFAULT || has_bias(product) || has_relu(product),
          CUBLAS_STATUS_NOT_SUPPORTED);
  for (const Layout* l : {&a, &b, &c, &d}) check_layout(*l);
  require(a.type == b.type && c.type == d.type && (d.type == a.type || d.type == CUDA_R_32F),
          CUBLAS_STATUS_NOT_SUPPORTED);
  const auto transposed = [](int32_t transform) { return transform != CUBLAS_OP_N; };
  const uint64_t rows = transposed(product.a_transform) ? a.columns : a.rows;
  const uint64_t columns = transposed(product.b_transform) ? b.rows : b.columns;
  const uint64_t b_inner = transposed(product.b_transform) ? b.columns : b.rows;
  require(b_inner == static_cast<uint64_t>(inner()));
  require(d.rows == rows && d.columns == columns && c.rows == rows && c.columns == columns);
}

void multiply(const Problem& problem, const Operands& operands, Algorithm algorithm, cudaStream_t stream) {
  problem.check();
  for (const void* scale : {operands.alpha, operands.beta})
    require(scale != nullptr && !device_memory().is_device_address(scale));
  const Work work{problem, operands, *static_cast<const float*>(operands.alpha),
                  *static_cast<const float*>(operands.beta), algorithm};
  check_memory(work);
  enqueue(stream, [work] { run_on_device(work); });
}

}  // namespace xf::standin::cublaslt
