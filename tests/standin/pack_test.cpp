// Weights in the arrangements of kernels/cuda/weight_layout.h, through the backend.

#include <doctest/doctest.h>

#include "engine/core/error.h"
#include "kernels/cuda/module.h"
#include "kernels/cuda/weight_layout.h"
#include "tests/ops/guarded.h"
#include "tests/ops/op_case.h"

namespace xf::test {
namespace {

const DType kTypes[] = {DType::f32, DType::bf16, DType::f16};

std::unique_ptr<Backend> cuda_backend() {
  return xferrun_cuda_module()->make_backend(0, Determinism::fixed_threads);
}

/// What a Pack of `weights` gives, as numbers.
std::vector<double> packed(Backend& backend, const Shape& shape, const Array& weights, DType type,
                           int channels) {
  const uint64_t id = cuda::layout_id(type, channels);
  const int64_t bytes = cuda::layout_bytes(shape, id);
  Graph graph;
  const Value w = graph.input("w", {shape, DType::f32});
  const Node& node = graph.node(graph.add(Pack{id, bytes}, {w}));
  const std::unique_ptr<Kernel> kernel = backend.lower(node);
  CHECK(kernel->impl() == "xf:pack");
  DeviceMemory memory(backend);
  Guarded from(memory, {shape, DType::f32}, shape.c, 0), to(memory, static_cast<size_t>(bytes));
  from.write(weights);
  to.write(Array{});
  const std::vector<Ref> refs{from.ref({shape, DType::f32}), to.ref(node.outputs[0])};
  kernel->run(backend.stream(Lane::compute), refs, {});
  CHECK(from.changed().empty());
  CHECK(to.damage().empty());
  return to.read(type);
}

}  // namespace

TEST_CASE("weights are rounded to the type, with zeros behind their channels") {
  const std::unique_ptr<Backend> backend = cuda_backend();
  for (const Shape& shape : {Shape{5, 7, 7, 3}, Shape{16, 1, 1, 64}, Shape{2, 3, 1, 17}, Shape{1, 1, 1, 1}}) {
    const OpCase source{"weights", Pack{}, {fixed(shape)}};
    const Array weights = generate(source)[0];
    const auto own = static_cast<int>(shape.c), wide = (own + 7) / 8 * 8;
    for (const DType type : kTypes) {
      for (const int channels : {own, wide, wide + 8}) {
        const std::vector<double> got = packed(*backend, shape, weights, type, channels);
        REQUIRE(static_cast<int64_t>(got.size()) == shape.rows() * channels);
        int64_t wrong = 0;
        for (int64_t r = 0; r < shape.rows(); ++r)
          for (int64_t c = 0; c < channels; ++c) {
            const double expected = c < own ? rounded_to(type, weights[r * own + c]) : 0;
            wrong += got[static_cast<size_t>(r * channels + c)] == expected ? 0 : 1;
          }
        CHECK(wrong == 0);
      }
    }
  }
}

TEST_CASE("a layout's number says what it is, and no other number is one") {
  for (const DType type : kTypes)
    for (const int channels : {1, 3, 8, 255, 256, 2048, 1 << 30}) {
      const uint64_t id = cuda::layout_id(type, channels);
      CHECK(id != 0);
      CHECK(cuda::weight_layout(id).type == type);
      CHECK(cuda::weight_layout(id).channels == channels);
    }
  CHECK(cuda::layout_bytes({64, 7, 7, 3}, cuda::layout_id(DType::bf16, 8)) == 64 * 49 * 8 * 2);
  for (const uint64_t wrong : {uint64_t{0}, cuda::layout_id(DType::u8, 8), cuda::layout_id(DType::f16, 0),
                               cuda::layout_id(DType::f16, 8) | uint64_t{1} << 60})
    CHECK_THROWS_AS(cuda::weight_layout(wrong), InternalError);
}

TEST_CASE("a pack that its weights do not fit is refused") {
  const std::unique_ptr<Backend> backend = cuda_backend();
  const auto lower = [&](DType dtype, int channels, int64_t more) {
    Graph graph;
    const Shape shape{4, 3, 3, 8};
    const uint64_t id = cuda::layout_id(DType::bf16, channels);
    const Value w = graph.input("w", {shape, dtype});
    backend->lower(graph.node(graph.add(Pack{id, cuda::layout_bytes(shape, id) + more}, {w})));
  };
  CHECK_NOTHROW(lower(DType::f32, 8, 0));
  CHECK_THROWS_AS(lower(DType::f32, 8, 2), InternalError);
  CHECK_THROWS_AS(lower(DType::f32, 7, 0), InternalError);
  CHECK_THROWS_AS(lower(DType::bf16, 8, 0), InternalError);
}

}  // namespace xf::test
