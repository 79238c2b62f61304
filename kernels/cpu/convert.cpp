// Input normalisation and changes of type.
#include <array>

#include "kernels/cpu/lower.h"
#include "kernels/cpu/own_kernel.h"
#include "kernels/cpu/simd.h"
#include "kernels/cpu/tiles.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/convert.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace xf::cpu {
namespace HWY_NAMESPACE {
namespace {

template <class From, class To>
void cast_tile(const Ref& x, const Ref& y, const Tile& tile) {
  for (int64_t r = 0; r < tile.rows; ++r) {
    const From* px = at<From>(x, tile, r);
    To* py = at<To>(y, tile, r);
    for_lanes(tile.columns, [&](auto d, int64_t c) HWY_ATTR { store(load(d, px + c), d, py + c); });
  }
}

void cast_elements(const Ref& x, const Ref& y, const Tile& tile) {
  with_type(y.spec.dtype, [&](auto* to) HWY_ATTR {
    using To = std::remove_pointer_t<decltype(to)>;
    if (x.spec.dtype == DType::u8)
      cast_tile<uint8_t, To>(x, y, tile);
    else if (x.spec.dtype == DType::bf16)
      cast_tile<bfloat16, To>(x, y, tile);
    else
      cast_tile<float, To>(x, y, tile);
  });
}

/// Pixels [first, last) of three-channel images, a vector of pixels at a time; returns where it stopped.
template <class To>
int64_t normalize_rgb(const Normalize& op, const uint8_t* x, To* y, int64_t first, int64_t last) {
  const hn::ScalableTag<float> d;
  const hn::Rebind<uint8_t, decltype(d)> d8;
  const hn::RebindToSigned<decltype(d)> di;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t p = first;
  for (; p + lanes <= last; p += lanes) {
    auto r = hn::Undefined(d8), g = hn::Undefined(d8), b = hn::Undefined(d8);
    hn::LoadInterleaved3(d8, x + 3 * p, r, g, b);
    const bool swap = op.order == ChannelOrder::bgr;
    const auto scaled = [&](auto v, size_t c) HWY_ATTR {
      return hn::MulAdd(hn::ConvertTo(d, hn::PromoteTo(di, v)), hn::Set(d, op.scale[c]),
                        hn::Set(d, op.shift[c]));
    };
    const auto v0 = scaled(swap ? b : r, 0), v1 = scaled(g, 1), v2 = scaled(swap ? r : b, 2);
    if constexpr (std::is_same_v<To, float>) {
      if (op.channels == 3)
        hn::StoreInterleaved3(v0, v1, v2, d, y + 3 * p);
      else
        hn::StoreInterleaved4(v0, v1, v2, hn::Zero(d), d, y + 4 * p);
    } else {
      const hn::Rebind<uint16_t, decltype(d)> d16;
      const auto bits = [&](auto v)
                            HWY_ATTR { return hn::DemoteTo(d16, hn::BitCast(di, to_bf16_bits(d, v))); };
      auto* y16 = reinterpret_cast<uint16_t*>(y);
      if (op.channels == 3)
        hn::StoreInterleaved3(bits(v0), bits(v1), bits(v2), d16, y16 + 3 * p);
      else
        hn::StoreInterleaved4(bits(v0), bits(v1), bits(v2), hn::Zero(d16), d16, y16 + 4 * p);
    }
  }
  return p;
}

template <class From, class To>
void normalize_any(const Normalize& op, const From* x, int64_t channels, To* y, int64_t first, int64_t last) {
  const hn::CappedTag<float, 1> d;
  for (int64_t p = first; p < last; ++p) {
    for (int64_t c = 0; c < op.channels; ++c) {
      auto v = hn::Zero(d);
      if (c < channels) {
        const int64_t source = op.order == ChannelOrder::bgr ? channels - 1 - c : c;
        const auto i = static_cast<size_t>(c);
        v = hn::MulAdd(load(d, x + p * channels + source), hn::Set(d, op.scale[i]), hn::Set(d, op.shift[i]));
      }
      store(v, d, y + p * op.channels + c);
    }
  }
}

void normalize_pixels(const Normalize& op, const Ref& x, const Ref& y, int64_t first, int64_t last) {
  const int64_t channels = x.spec.shape.c;
  with_type(y.spec.dtype, [&](auto* to) HWY_ATTR {
    using To = std::remove_pointer_t<decltype(to)>;
    if (x.spec.dtype != DType::u8) return normalize_any(op, x.as<float>(), channels, y.as<To>(), first, last);
    int64_t p = first;
    if (channels == 3 && (op.channels == 3 || op.channels == 4))
      p = normalize_rgb(op, x.as<uint8_t>(), y.as<To>(), first, last);
    normalize_any(op, x.as<uint8_t>(), channels, y.as<To>(), p, last);
  });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace xf::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace xf::cpu {
namespace {

HWY_EXPORT(cast_elements);
HWY_EXPORT(normalize_pixels);

void check_types(const Node& node) {
  const DType from = node.inputs[0].spec().dtype, to = node.outputs[0].dtype;
  if ((from != DType::f32 && from != DType::bf16 && from != DType::u8) ||
      (to != DType::f32 && to != DType::bf16))
    unsupported(node, "the CPU converts u8, f32 and bf16 to f32 and bf16");
}

class CastKernel final : public OwnKernel {
 public:
  explicit CastKernel(const Node& node) : OwnKernel("cast", node) { check_types(node); }
  [[nodiscard]] bool strided(int) const override { return true; }
  void run(Stream&, std::span<const Ref> operands, Scratch) override {
    const Ref x = in(operands, 0), y = out(operands, 0);
    for_tiles({x, y}, [&](const Tile& tile) { HWY_DYNAMIC_DISPATCH(cast_elements)(x, y, tile); });
  }
};

class NormalizeKernel final : public OwnKernel {
 public:
  NormalizeKernel(const Normalize& op, const Node& node) : OwnKernel("normalize", node), op_(op) {
    check_types(node);
    if (node.inputs[0].spec().dtype == DType::bf16) unsupported(node, "images are u8 or f32");
  }
  void run(Stream&, std::span<const Ref> operands, Scratch) override {
    const Ref x = in(operands, 0), y = out(operands, 0);
    const Blocks blocks{x.spec.shape.rows(), int64_t{1} << 14};
    parallel_for(blocks.count(), [&](int64_t b) {
      HWY_DYNAMIC_DISPATCH(normalize_pixels)(op_, x, y, blocks.begin(b), blocks.end(b));
    });
  }

 private:
  Normalize op_;
};

}  // namespace

std::unique_ptr<Kernel> lower(const Cast&, const Node& node, const Context&) {
  return std::make_unique<CastKernel>(node);
}

std::unique_ptr<Kernel> lower(const Normalize& op, const Node& node, const Context&) {
  return std::make_unique<NormalizeKernel>(op, node);
}

}  // namespace xf::cpu
#endif
