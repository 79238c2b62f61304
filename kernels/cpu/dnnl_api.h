#pragma once
// oneDNN 2.6 and 3.x behind one set of calls: everything in which the two versions differ. Included by the
// *_dnnl.cpp files alone.

#include <dnnl.hpp>
#include <optional>
#include <string>

#include "engine/core/dtype.h"
#include "engine/graph/ops.h"

namespace xf::cpu::dnn {

using Desc = dnnl::memory::desc;
using Dims = dnnl::memory::dims;

const dnnl::engine& engine();
const dnnl::stream& stream();

/// Throws InternalError for a type that oneDNN is not asked to compute with here.
dnnl::memory::data_type data_type(DType t);

/// A tensor of these extents in the arrangement that the primitive likes best.
Desc any(const Dims& dims, DType type);
/// A tensor whose neighbours along dimension i lie strides[i] elements apart.
Desc strided(const Dims& dims, DType type, const Dims& strides);
/// A dense vector.
Desc vector(int64_t count, DType type);

/// What is fused behind a convolution or product, in this order.
struct Epilogue {
  enum class Accumulate : uint8_t { no, into_destination };
  Accumulate residual = Accumulate::no;
  Activation act = Activation::none;
};

/// Logical dimensions: src and dst NCHW, weights OIHW (whatever their order in memory); padding (top, left)
/// and (bottom, right).
struct Convolution {
  Desc src, weights, dst;
  std::optional<Desc> bias;
  Dims strides, before, after;
};

/// A primitive, with all that has to be known of it.
struct Built {
  dnnl::primitive primitive;
  std::string impl;
  Desc weights;     ///< the arrangement of weights (or weight gradients) that it wants
  Desc scratchpad;  ///< user-provided
};

/// These throw UnavailableError when oneDNN has no implementation.
Built forward(const Convolution& c, const Epilogue& e);
Built backward_data(const Convolution& c);
Built backward_weights(const Convolution& c);

/// dst = act(src · weights + bias [+ dst]); all two-dimensional, bias (1, columns).
struct Product {
  Desc src, weights, dst;
  std::optional<Desc> bias;
};
Built product(const Product& p, const Epilogue& e);

/// Copies between two arrangements or types of one tensor.
Built reorder(const Desc& from, const Desc& to);

}  // namespace xf::cpu::dnn
