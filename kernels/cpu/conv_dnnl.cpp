// Convolutions, with what follows them.

#include <algorithm>
#include <array>
#include <cstring>

#include "engine/core/aligned.h"
#include "kernels/cpu/conv_geometry.h"
#include "kernels/cpu/dnnl_call.h"
#include "kernels/cpu/dnnl_layout.h"
#include "kernels/cpu/dnnl_partition.h"
#include "kernels/cpu/lower.h"
#include "kernels/cpu/winograd.h"
#include "kernels/cpu/winograd_rule.h"

namespace xf::cpu {

namespace {

/// oneDNN's fast convolutions write dense rows only. For rows with gaps between them (a slice of a
/// concatenation), a few images at a time go to a buffer that stays in a core's cache, and from there to
/// their place.
struct Chunks {
  int64_t images = 1;   ///< of one chunk
  int64_t count = 1;    ///< of chunks
  int64_t workers = 1;  ///< that have a buffer each
  bool worthwhile = true;

  Chunks(const dnn::Geometry& g, DType y, Determinism determinism) {
    constexpr size_t kBuffer = size_t{512} << 10;  // half of a usual second-level cache
    const size_t image = dnn::image_bytes(g.y, y);
    const int64_t most =
        determinism == Determinism::fixed_threads ? std::max<int64_t>(1, g.y.n / threads()) : g.y.n;
    for (int64_t n = 1; n <= most; ++n)
      if (g.y.n % n == 0 && (n == 1 || static_cast<size_t>(n) * image <= kBuffer)) images = n;
    count = g.y.n / images;
    workers = std::min<int64_t>(threads(), count);
    // One image must fit, and four of five threads be busy; but results may not depend on it where threads
    // must not matter.
    const int64_t rounds = (count + threads() - 1) / threads();
    const bool busy = determinism == Determinism::any_threads || 5 * count >= 4 * rounds * threads();
    worthwhile = busy && image <= 2 * kBuffer;
  }
};

class ConvKernel : public Kernel {
 public:
  ConvKernel(const Conv2d& op, const Node& node, const Context& context)
      : x_(node.inputs[0].spec()),
        y_(node.outputs[0]),
        output_(node.inputs.size()),
        geometry_(op, x_.shape, y_.shape),
        partition_(dnn::Partition::of(x_.shape.n, context.determinism)),
        chunks_(geometry_, y_.dtype, context.determinism) {
    if (node.inputs.size() > 2 && node.inputs[2]) bias_ = dnn::vector(y_.shape.c, DType::f32);
    if (node.inputs.size() > 3 && node.inputs[3]) {
      dnn::same_type(node, node.inputs[3].spec(), y_);
      residual_ = true;
    }
    make_whole();
    if (!residual_ && chunks_.worthwhile) make_chunk();
  }

  [[nodiscard]] std::string impl() const override { return whole_.impl(); }
  [[nodiscard]] size_t workspace() const override {
    return std::max(static_cast<size_t>(partition_.parts) * whole_.scratch(),
                    static_cast<size_t>(chunks_.workers) * worker_bytes());
  }
  [[nodiscard]] Layout wants(int operand) const override { return operand == 1 ? layout_ : Layout{}; }
  [[nodiscard]] bool strided(int operand) const override {
    return chunked_ && operand == static_cast<int>(output_);
  }
  /// The residual is added to where it lies.
  [[nodiscard]] bool in_place(int, int input) const override { return residual_ && input == 3; }

  void run(Stream&, std::span<const Ref> operands, Scratch scratch) override {
    if (operands[output_].row_stride != y_.shape.c)
      run_chunks(operands, scratch);
    else
      run_whole(operands, scratch);
  }

 private:
  /// The primitive's arguments, in the order of addresses().
  [[nodiscard]] std::vector<dnn::Argument> arguments(const dnn::Convolution& c, const dnn::Desc& weights,
                                                     int64_t images) const {
    const auto n = static_cast<size_t>(images);
    std::vector<dnn::Argument> a{{DNNL_ARG_SRC, c.src, n * dnn::image_bytes(x_.shape, x_.dtype)},
                                 {DNNL_ARG_WEIGHTS, weights},
                                 {DNNL_ARG_DST, c.dst, n * dnn::image_bytes(y_.shape, y_.dtype)}};
    if (bias_) a.push_back({DNNL_ARG_BIAS, *bias_});
    return a;
  }

  [[nodiscard]] dnn::Epilogue epilogue() const {
    using Accumulate = dnn::Epilogue::Accumulate;
    return {residual_ ? Accumulate::into_destination : Accumulate::no, geometry_.op.act};
  }

  void make_whole() {
    dnn::Convolution c = dnn::convolution(geometry_, partition_.parts, x_.dtype, y_.dtype);
    c.bias = bias_;
    c.weights = dnn::any(dnn::weight_dims(geometry_.w), x_.dtype);
    auto built = dnn::make_for(partition_, [&] { return dnn::forward(c, epilogue()); });
    weights_ = built.weights;
    layout_ =
        dnn::register_packing({geometry_.w, dnn::Window::as_is, dnn::canonical(geometry_.w), built.weights});
    whole_ = {std::move(built), arguments(c, weights_, x_.shape.n / partition_.parts), partition_.parts};
  }

  /// The same for one chunk and one thread, if the implementation takes the same packed weights.
  void make_chunk() {
    dnn::Convolution c = dnn::convolution(geometry_, chunks_.count, x_.dtype, y_.dtype);
    c.bias = bias_;
    c.weights = weights_;
    auto built = dnn::make_for({Determinism::any_threads, 1}, [&] { return dnn::forward(c, epilogue()); });
    chunked_ = built.impl == whole_.impl();
    auto args = arguments(c, weights_, chunks_.images);
    args[2].step = 0;  // each result goes to the worker's buffer
    chunk_ = {std::move(built), std::move(args), chunks_.workers};
  }

  void run_whole(std::span<const Ref> operands, const Scratch& scratch) {
    if (residual_ && operands[3].data != operands[output_].data)
      parallel_for(y_.shape.n, [&](int64_t image) {
        const size_t bytes = dnn::image_bytes(y_.shape, y_.dtype), begin = static_cast<size_t>(image) * bytes;
        std::memcpy(operands[output_].data + begin, operands[3].data + begin, bytes);
      });
    const std::array addresses{operands[0].data, operands[1].data, operands[output_].data,
                               bias_ ? operands[2].data : nullptr};
    dnn::for_each_part(partition_, partition_.parts, [&](int64_t part) {
      whole_.run(part, part, {addresses.data(), bias_ ? 4U : 3U},
                 scratch.data + static_cast<size_t>(part) * whole_.scratch());
    });
  }

  void run_chunks(std::span<const Ref> operands, const Scratch& scratch) {
    const size_t row = static_cast<size_t>(y_.shape.c) * size_of(y_.dtype);
    const size_t stride = static_cast<size_t>(operands[output_].row_stride) * size_of(y_.dtype);
    const int64_t rows = chunks_.images * y_.shape.h * y_.shape.w;
    dnn::for_each_part({Determinism::any_threads, 1}, chunks_.workers, [&](int64_t worker) {
      std::byte* buffer = scratch.data + static_cast<size_t>(worker) * worker_bytes();
      for (int64_t chunk = worker; chunk < chunks_.count; chunk += chunks_.workers) {
        const std::array addresses{operands[0].data, operands[1].data, buffer,
                                   bias_ ? operands[2].data : nullptr};
        chunk_.run(worker, chunk, {addresses.data(), bias_ ? 4U : 3U}, buffer + buffer_bytes());
        std::byte* target = operands[output_].data + static_cast<size_t>(chunk * rows) * stride;
        for (int64_t r = 0; r < rows; ++r)
          std::memcpy(target + static_cast<size_t>(r) * stride, buffer + static_cast<size_t>(r) * row, row);
      }
    });
  }

  [[nodiscard]] size_t buffer_bytes() const {
    return aligned(static_cast<size_t>(chunks_.images) * dnn::image_bytes(y_.shape, y_.dtype));
  }
  [[nodiscard]] size_t worker_bytes() const { return chunked_ ? buffer_bytes() + chunk_.scratch() : 0; }

  Spec x_, y_;
  size_t output_;
  dnn::Geometry geometry_;
  dnn::Partition partition_;
  Chunks chunks_;
  std::optional<dnn::Desc> bias_;
  bool residual_ = false, chunked_ = false;
  dnn::Desc weights_;
  Layout layout_;
  dnn::Call whole_, chunk_;
};

}  // namespace

std::unique_ptr<Kernel> lower(const Conv2d& op, const Node& node, const Context& context) {
  const Spec& x = node.inputs[0].spec();
  if (winograd::chosen(op, x.shape, node.outputs[0].shape, x.dtype, context))
    return winograd::forward(op, node);
  return std::make_unique<ConvKernel>(op, node, context);
}

}  // namespace xf::cpu
