#pragma once
// A convolution's shapes, as oneDNN wants them described.

#include <fmt/format.h>

#include "engine/core/error.h"
#include "engine/graph/graph.h"
#include "kernels/cpu/dnnl_api.h"

namespace xf::cpu::dnn {

/// One convolution: its input, output and weights (OHWI).
struct Geometry {
  Conv2d op;
  Shape x, y, w;
  Geometry(const Conv2d& conv, const Shape& input, const Shape& output)
      : op(conv), x(input), y(output), w{output.c, conv.kernel_h, conv.kernel_w, input.c} {}
};

/// Of a dense NHWC activation, for the logical order NCHW.
inline Desc activation(const Shape& s, DType type) {
  return strided({s.n, s.c, s.h, s.w}, type, {s.h * s.w * s.c, 1, s.w * s.c, s.c});
}

inline Dims weight_dims(const Shape& w) { return {w.n, w.c, w.h, w.w}; }

/// The canonical f32 weights in memory, logically OIHW.
inline Desc canonical(const Shape& w) {
  return strided(weight_dims(w), DType::f32, {w.h * w.w * w.c, 1, w.w * w.c, w.c});
}

/// The same memory with outputs and inputs exchanged: logically IOHW.
inline Desc exchanged(const Shape& w) {
  return strided({w.c, w.n, w.h, w.w}, DType::f32, {1, w.h * w.w * w.c, w.w * w.c, w.c});
}

inline size_t image_bytes(const Shape& s, DType t) {
  return static_cast<size_t>(s.h * s.w * s.c) * size_of(t);
}

/// Bytes of one of `parts` equal parts of a batch.
inline size_t part_bytes(const Shape& s, DType t, int64_t parts) {
  return static_cast<size_t>(s.n / parts) * image_bytes(s, t);
}

/// The convolution of one of `parts` equal parts of the batch; without weights and bias.
inline Convolution convolution(const Geometry& g, int64_t parts, DType x, DType y) {
  const auto part = [&](Shape s) {
    s.n /= parts;
    return s;
  };
  Convolution c;
  c.src = activation(part(g.x), x);
  c.dst = activation(part(g.y), y);
  c.strides = {g.op.stride_h, g.op.stride_w};
  c.before = {g.op.pad.top, g.op.pad.left};
  c.after = {g.op.pad.bottom, g.op.pad.right};
  return c;
}

/// Throws InternalError unless both have one element type.
inline void same_type(const Node& node, const Spec& a, const Spec& b) {
  if (a.dtype != b.dtype)
    throw InternalError(fmt::format("{} ({})", node.name, op_name(node.op)),
                        fmt::format("mixes {} and {}", name(a.dtype), name(b.dtype)));
}

}  // namespace xf::cpu::dnn
