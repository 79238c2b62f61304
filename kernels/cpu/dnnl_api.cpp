#include "kernels/cpu/dnnl_api.h"

#include <fmt/format.h>

#include <string_view>

#include "engine/core/error.h"

namespace xf::cpu::dnn {

namespace {

constexpr auto kDirect = dnnl::algorithm::convolution_direct;

dnnl::primitive_attr attributes(const Epilogue& e) {
  dnnl::post_ops ops;
  if (e.residual == Epilogue::Accumulate::into_destination) ops.append_sum(1.0F);
  if (e.act == Activation::relu) {
#if DNNL_VERSION_MAJOR >= 3
    ops.append_eltwise(dnnl::algorithm::eltwise_relu, 0.0F, 0.0F);
#else
    ops.append_eltwise(1.0F, dnnl::algorithm::eltwise_relu, 0.0F, 0.0F);
#endif
  }
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  attr.set_post_ops(ops);
  return attr;
}

template <class Primitive>
Built built(const typename Primitive::primitive_desc& pd, const Desc& weights) {
  return {Primitive(pd), pd.impl_info_str(), weights, pd.scratchpad_desc()};
}

/// Runs `make` and says which primitive there is not when oneDNN refuses.
template <class Make>
Built guarded(const char* what, Make&& make) {
  try {
    return make();
  } catch (const dnnl::error& e) {
    throw UnavailableError(what, fmt::format("oneDNN {}.{} has no implementation for this processor ({})",
                                             DNNL_VERSION_MAJOR, DNNL_VERSION_MINOR, e.what()));
  }
}

#if DNNL_VERSION_MAJOR < 3
/// Whether oneDNN 2.6's older code for 1x1 windows beats the brgemm code that it offers first. In bf16 it
/// does: by a tenth where pixels are skipped or the map grows, and twice where a residual is added.
bool second_is_faster(const Convolution& c, const dnnl::post_ops& ops) {
  const Dims weights = c.weights.dims();
  if (c.src.data_type() != dnnl::memory::data_type::bf16 || weights[2] * weights[3] != 1) return false;
  const bool adds = ops.len() > 0 && ops.kind(0) == dnnl::primitive::kind::sum;
  return adds || c.strides[0] > 1 || weights[0] >= 2 * weights[1];
}
#endif

using ForwardDesc = dnnl::convolution_forward::primitive_desc;

ForwardDesc forward_desc(const Convolution& c, const dnnl::primitive_attr& attr) {
  constexpr auto kKind = dnnl::prop_kind::forward_inference;  // the same code as forward_training
#if DNNL_VERSION_MAJOR >= 3
  if (!c.bias) return {engine(), kKind, kDirect, c.src, c.weights, c.dst, c.strides, c.before, c.after, attr};
  return {engine(), kKind, kDirect, c.src, c.weights, *c.bias, c.dst, c.strides, c.before, c.after, attr};
#else
  using Desc = dnnl::convolution_forward::desc;
  // The descriptor must outlive next_impl().
  const Desc d = c.bias ? Desc(kKind, kDirect, c.src, c.weights, *c.bias, c.dst, c.strides, c.before, c.after)
                        : Desc(kKind, kDirect, c.src, c.weights, c.dst, c.strides, c.before, c.after);
  ForwardDesc pd(d, attr, engine());
  if (second_is_faster(c, attr.get_post_ops()) &&
      std::string_view(pd.impl_info_str()).starts_with("brgconv_1x1"))
    pd.next_impl();
  return pd;
#endif
}

/// The forward primitive that oneDNN's backward ones want as a hint; its weights have the activations' type.
dnnl::convolution_forward::primitive_desc hint(Convolution c) {
#if DNNL_VERSION_MAJOR >= 3
  c.weights = {c.weights.get_dims(), c.src.get_data_type(), dnnl::memory::format_tag::any};
#else
  c.weights = {c.weights.dims(), c.src.data_type(), dnnl::memory::format_tag::any};
#endif
  return forward_desc(c, {});
}

/// Of either gradient.
template <class Primitive>
typename Primitive::primitive_desc backward_desc(const Convolution& c) {
#if DNNL_VERSION_MAJOR >= 3
  return {engine(), kDirect, c.src, c.weights, c.dst, c.strides, c.before, c.after, hint(c), attributes({})};
#else
  return {
      {kDirect, c.src, c.weights, c.dst, c.strides, c.before, c.after}, attributes({}), engine(), hint(c)};
#endif
}

}  // namespace

const dnnl::engine& engine() {
  static const dnnl::engine e(dnnl::engine::kind::cpu, 0);
  return e;
}

const dnnl::stream& stream() {
  static const dnnl::stream s(engine());
  return s;
}

dnnl::memory::data_type data_type(DType t) {
  switch (t) {
    case DType::f32: return dnnl::memory::data_type::f32;
    case DType::bf16: return dnnl::memory::data_type::bf16;
    case DType::u8: return dnnl::memory::data_type::u8;
    default: throw InternalError(std::string(name(t)), "no matrix arithmetic in this type on the CPU");
  }
}

Desc any(const Dims& dims, DType type) { return {dims, data_type(type), dnnl::memory::format_tag::any}; }

Desc strided(const Dims& dims, DType type, const Dims& strides) { return {dims, data_type(type), strides}; }

Desc vector(int64_t count, DType type) { return {{count}, data_type(type), dnnl::memory::format_tag::a}; }

Built forward(const Convolution& c, const Epilogue& e) {
  return guarded("convolution", [&] {
    const auto pd = forward_desc(c, attributes(e));
    return built<dnnl::convolution_forward>(pd, pd.weights_desc());
  });
}

Built backward_data(const Convolution& c) {
  return guarded("convolution gradient", [&] {
    const auto pd = backward_desc<dnnl::convolution_backward_data>(c);
    return built<dnnl::convolution_backward_data>(pd, pd.weights_desc());
  });
}

Built backward_weights(const Convolution& c) {
  return guarded("convolution weight gradient", [&] {
    const auto pd = backward_desc<dnnl::convolution_backward_weights>(c);
    return built<dnnl::convolution_backward_weights>(pd, pd.diff_weights_desc());
  });
}

Built product(const Product& p, const Epilogue& e) {
  using Primitive = dnnl::matmul;
  return guarded("matrix product", [&] {
#if DNNL_VERSION_MAJOR >= 3
    const auto pd =
        !p.bias ? Primitive::primitive_desc(engine(), p.src, p.weights, p.dst, attributes(e))
                : Primitive::primitive_desc(engine(), p.src, p.weights, *p.bias, p.dst, attributes(e));
#else
    const auto d = !p.bias ? Primitive::desc(p.src, p.weights, p.dst)
                                     : Primitive::desc(p.src, p.weights, *p.bias, p.dst);
    const Primitive::primitive_desc pd(d, attributes(e), engine());
#endif
    return built<Primitive>(pd, pd.weights_desc());
  });
}

Built reorder(const Desc& from, const Desc& to) {
  return guarded("rearrangement", [&] {
    const dnnl::reorder::primitive_desc pd(engine(), from, engine(), to, attributes({}));
    return built<dnnl::reorder>(pd, to);
  });
}

}  // namespace xf::cpu::dnn
