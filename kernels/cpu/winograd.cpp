#include "kernels/cpu/winograd.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/core/aligned.h"
#include "engine/core/threads.h"
#include "kernels/cpu/dnnl_layout.h"
#include "kernels/cpu/own_kernel.h"
#include "kernels/cpu/winograd_product.h"
#include "kernels/cpu/winograd_transforms.h"

namespace xf::cpu::winograd {

namespace {

/// Bytes of one tile's transforms of both operands.
int64_t tile_bytes(int64_t in, int64_t out) {
  return kFrequencies * (in + out) * static_cast<int64_t>(sizeof(float));
}

/// Tiles of a block that all threads share, of the shapes alone: as many as stay in the caches, but enough
/// for each number of the weights that is read to be used often; all blocks of nearly the same size.
int64_t shared_block(int64_t tiles, int64_t in, int64_t out) {
  constexpr int64_t kBytes = int64_t{4} << 20, kFewest = 112;
  const int64_t most = std::max(kFewest, kBytes / tile_bytes(in, out)), blocks = (tiles + most - 1) / most;
  return (tiles + blocks - 1) / blocks;
}

size_t bytes_of(const Panels& p) { return aligned(static_cast<size_t>(p.count()) * sizeof(float)); }

/// How the tiles of a batch are cut into blocks, whose transforms stay in a cache. Either every thread takes
/// blocks of its own, or all threads share each block, because the weights are large (and would pass through
/// every core's cache) or the blocks few.
struct Blocking {
  int64_t tiles = 0;    ///< of the batch
  int64_t size = 0;     ///< tiles of a block
  int64_t workers = 1;  ///< threads that have blocks of their own; 1: they share

  Blocking(int64_t count, int64_t in, int64_t out) : tiles(count) {
    constexpr int64_t kOwn = int64_t{2} << 20, kFewest = 48;
    constexpr int64_t kWeights = int64_t{4} << 20;
    const int64_t bytes = tile_bytes(in, out), own = std::max(kFewest, kOwn / bytes);
    const bool small = kFrequencies * in * out * static_cast<int64_t>(sizeof(float)) <= kWeights;
    if (small && count >= 2 * threads() * own) workers = threads();
    size = workers > 1 ? own : shared_block(count, in, out);
  }
  [[nodiscard]] int64_t count() const { return (tiles + size - 1) / size; }
  [[nodiscard]] TileRange block(int64_t b) const { return {b * size, std::min(size, tiles - b * size), 0}; }
};

/// The loops over a block's parts: in this thread, or spread over all.
struct Alone {
  template <class Body>
  void operator()(int64_t count, Body body) const {
    for (int64_t i = 0; i < count; ++i) body(i);
  }
};
struct Together {
  template <class Body>
  void operator()(int64_t count, Body body) const {
    parallel_for(count, body);
  }
};

/// Calls body(part of the range) for all its parts.
template <class Loop, class Body>
void for_parts(const Loop& loop, const TileRange& range, Body body) {
  constexpr int64_t kTiles = 4;
  loop((range.count + kTiles - 1) / kTiles, [&](int64_t i) {
    const int64_t first = i * kTiles;
    body(TileRange{range.first + first, std::min(kTiles, range.count - first), range.position + first});
  });
}

/// Calls body(part of the products) for results of `groups` groups.
template <class Loop, class Body>
void for_products(const Loop& loop, int64_t groups, Body body) {
  const int64_t each = groups_side_by_side(), count = (groups + each - 1) / each;
  loop(kFrequencies * count, [&](int64_t i) {
    const int64_t first = i % count * each;
    body(ProductPart{i / count, first, std::min(groups, first + each)});
  });
}

template <class T>
Pixels<T> pixels(const Ref& r) {
  return {r.as<float>(), r.spec.shape, r.row_stride};
}

std::string name_of() { return fmt::format("xf:winograd:{}", target_name()); }

/// y = act(convolution of x with packed weights + bias + residual). Operands: x, weights, bias, residual, …,
/// y.
class Convolution : public Kernel {
 public:
  struct Form {
    Shape x, y;
    Margin margin;
    Activation act = Activation::none;
    Layout weights;
    size_t inputs;
    bool residual = false;
  };
  explicit Convolution(const Form& form)
      : form_(form), tiling_(form.y), blocking_(tiling_.count, form.x.c, form.y.c) {}

  [[nodiscard]] std::string impl() const override { return name_of(); }
  [[nodiscard]] size_t workspace() const override {
    return static_cast<size_t>(blocking_.workers) * (bytes_of(of_x()) + bytes_of(of_y()));
  }
  [[nodiscard]] Layout wants(int operand) const override { return operand == 1 ? form_.weights : Layout{}; }
  [[nodiscard]] bool strided(int operand) const override {
    return operand == 0 || (operand == 3 && form_.residual) || operand == static_cast<int>(form_.inputs);
  }
  [[nodiscard]] bool in_place(int, int input) const override { return form_.residual && input == 3; }

  void run(Stream&, std::span<const Ref> operands, Scratch scratch) override {
    const int64_t count = blocking_.count();
    if (blocking_.workers == 1) {
      for (int64_t b = 0; b < count; ++b) run_block(Together{}, b, operands, scratch.data);
      return;
    }
    const auto bytes = workspace() / static_cast<size_t>(blocking_.workers);
    parallel_for(blocking_.workers, [&](int64_t w) {
      std::byte* memory = scratch.data + static_cast<size_t>(w) * bytes;
      for (int64_t b = count * w / blocking_.workers; b < count * (w + 1) / blocking_.workers; ++b)
        run_block(Alone{}, b, operands, memory);
    });
  }

 private:
  [[nodiscard]] Panels of_x() const { return {form_.x.c / kGroup, blocking_.size}; }
  [[nodiscard]] Panels of_w() const { return {form_.y.c / kGroup, form_.x.c}; }
  [[nodiscard]] Panels of_y() const { return {form_.y.c / kGroup, blocking_.size}; }

  template <class Loop>
  void run_block(const Loop& loop, int64_t b, std::span<const Ref> operands, std::byte* memory) const {
    auto *x = reinterpret_cast<float*>(memory), *y = reinterpret_cast<float*>(memory + bytes_of(of_x()));
    const TileRange block = blocking_.block(b);
    for_parts(loop, block, [&](const TileRange& part) {
      transform_input(pixels<const float>(operands[0]), form_.margin, tiling_, part, of_x(), x);
    });
    for_products(loop, of_y().groups, [&](const ProductPart& part) {
      multiply(part, block.count, of_x(), x, of_w(), operands[1].as<float>(), of_y(), y);
    });
    Epilogue epilogue;
    epilogue.act = form_.act;
    if (form_.inputs > 2) epilogue.bias = operands[2].as<float>();
    if (form_.residual) epilogue.residual = pixels<const float>(operands[3]);
    const Pixels<float> target = pixels<float>(operands[form_.inputs]);
    for_parts(loop, block,
              [&](const TileRange& part) { transform_output(y, of_y(), tiling_, part, epilogue, target); });
  }

  Form form_;
  Tiling tiling_;
  Blocking blocking_;
};

/// (x, dy) → dw.
class WeightGradient : public Kernel {
 public:
  WeightGradient(const Conv2d& op, const Shape& x, const Shape& y)
      : x_(x),
        y_(y),
        margin_{op.pad.top, op.pad.left},
        tiling_(y),
        block_(shared_block(tiling_.count, x.c, y.c)) {}

  [[nodiscard]] std::string impl() const override { return name_of(); }
  [[nodiscard]] size_t workspace() const override {
    return bytes_of(of_x()) + bytes_of(of_dy()) + bytes_of(of_dw());
  }
  [[nodiscard]] bool strided(int operand) const override { return operand < 2; }

  void run(Stream&, std::span<const Ref> operands, Scratch scratch) override {
    auto* x = reinterpret_cast<float*>(scratch.data);
    auto* dy = reinterpret_cast<float*>(scratch.data + bytes_of(of_x()));
    auto* dw = reinterpret_cast<float*>(scratch.data + bytes_of(of_x()) + bytes_of(of_dy()));
    for (int64_t first = 0; first < tiling_.count; first += block_) {
      const TileRange block{first, std::min(block_, tiling_.count - first), 0};
      for_parts(Together{}, block, [&](const TileRange& part) {
        transform_input(pixels<const float>(operands[0]), margin_, tiling_, part, of_x(), x);
        transform_output_gradient(pixels<const float>(operands[1]), tiling_, part, of_dy(), dy);
      });
      for_products(Together{}, of_dw().groups, [&](const ProductPart& part) {
        multiply_gradient(part, block.count, of_x(), x, of_dy(), dy, of_dw(), dw,
                          first == 0 ? Sums::set : Sums::add);
      });
    }
    const Shape w{y_.c, 3, 3, x_.c};
    parallel_for(y_.c,
                 [&](int64_t output) { transform_weight_gradient(dw, w, output, operands[2].as<float>()); });
  }

 private:
  [[nodiscard]] Panels of_x() const { return {x_.c / kGroup, block_}; }
  [[nodiscard]] Panels of_dy() const { return {y_.c / kGroup, block_}; }
  [[nodiscard]] Panels of_dw() const { return {x_.c / kGroup, y_.c}; }

  Shape x_, y_;
  Margin margin_;
  Tiling tiling_;
  int64_t block_;
};

}  // namespace

bool can_compute(const Conv2d& op, const Shape& x, const Shape& y, DType type) {
  const Padding& p = op.pad;
  return type == DType::f32 && op.kernel_h == 3 && op.kernel_w == 3 && op.stride_h == 1 && op.stride_w == 1 &&
         std::max({p.top, p.bottom, p.left, p.right}) <= 2 && x.c % kGroup == 0 && y.c % kGroup == 0 &&
         vector_lanes() >= 8;
}

std::unique_ptr<Kernel> forward(const Conv2d& op, const Node& node) {
  const Shape &x = node.inputs[0].shape(), &y = node.outputs[0].shape;
  return std::make_unique<Convolution>(
      Convolution::Form{x,
                        y,
                        {op.pad.top, op.pad.left},
                        op.act,
                        dnn::register_packing(dnn::WinogradWeights{{y.c, 3, 3, x.c}, dnn::Window::as_is}),
                        node.inputs.size(),
                        node.inputs.size() > 3 && node.inputs[3]});
}

std::unique_ptr<Kernel> data_gradient(const ConvBwdData& op, const Node& node) {
  // A convolution of dy with the turned weights.
  const Shape &dy = node.inputs[0].shape(), &dx = node.outputs[0].shape;
  const Padding& pad = op.conv.pad;
  return std::make_unique<Convolution>(
      Convolution::Form{dy,
                        dx,
                        {2 - pad.top, 2 - pad.left},
                        Activation::none,
                        dnn::register_packing(dnn::WinogradWeights{{dy.c, 3, 3, dx.c}, dnn::Window::turned}),
                        node.inputs.size(),
                        false});
}

std::unique_ptr<Kernel> weight_gradient(const ConvBwdWeights& op, const Node& node) {
  return std::make_unique<WeightGradient>(op.conv, node.inputs[0].shape(), node.inputs[1].shape());
}

}  // namespace xf::cpu::winograd
