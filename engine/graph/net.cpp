#include "engine/graph/net.h"

#include <algorithm>

namespace xf {

Net Net::in(std::string_view scope) const {
  Net below = *this;
  below.prefix_ = path(scope);
  return below;
}

std::string Net::path(std::string_view name) const {
  return prefix_.empty() ? std::string(name) : prefix_ + "." + std::string(name);
}

bool Net::frozen(const std::string& name) const {
  return std::any_of(options_->freeze.begin(), options_->freeze.end(),
                     [&](const std::string& glob) { return glob_match(glob, name); });
}

Value Net::param(const std::string& name, Shape shape, Init init) const {
  const Value v = graph_->param(name, shape, init);
  graph_->node(v.node()).trainable = !frozen(name);
  return v;
}

Value Net::conv(Value x, std::string_view name, int channels, Extent kernel, int stride, Pad pad) const {
  const std::string full = path(name);
  const int64_t in = x.shape().c;
  const Init he{InitKind::he_normal, 0, in * kernel.h * kernel.w, int64_t{channels} * kernel.h * kernel.w};
  const Value w = param(full + ".weight", {channels, kernel.h, kernel.w, in}, he);
  const Value b =
      options_->conv_bias == HasBias::yes ? param(full + ".bias", vector_shape(channels), {}) : Value{};
  const int ph = pad == Pad::half ? kernel.h / 2 : 0, pw = pad == Pad::half ? kernel.w / 2 : 0;
  graph_->set_scope(full);
  return graph_->add(Conv2d{kernel.h, kernel.w, stride, stride, {ph, ph, pw, pw}, Activation::none},
                     {x, w, b});
}

Value Net::bn(Value x, std::string_view name, Activation act, Value residual) const {
  const std::string full = path(name);
  const Shape each = vector_shape(x.shape().c);
  const Value gamma = options_->bn_gamma == HasGamma::yes
                          ? param(full + ".weight", each, {InitKind::constant, 1, 1, 1})
                          : Value{};
  const Value beta = param(full + ".bias", each, {});
  const Value mean = graph_->state(full + ".running_mean", each, {});
  const Value var = graph_->state(full + ".running_var", each, {InitKind::constant, 1, 1, 1});
  const bool fixed = !graph_->node(beta).trainable && (!gamma || !graph_->node(gamma).trainable);
  const BnMode mode = options_->mode == Mode::infer || fixed ? BnMode::running : BnMode::batch;
  graph_->set_scope(full);
  const Value y = graph_->add(BnAct{options_->bn_eps, options_->bn_momentum, mode, act},
                              {x, gamma, beta, mean, var, residual});
  if (mode == BnMode::batch) {
    graph_->update(mean, Graph::output(y, 3));
    graph_->update(var, Graph::output(y, 4));
  }
  return y;
}

Value Net::unit(Value x, const Unit& u) const {
  const Net n = in(u.name);
  return n.bn(n.conv(x, "conv", u.channels, u.kernel, u.stride, u.pad), "bn", Activation::relu);
}

Value Net::chain(Value x, const std::vector<Unit>& units) const {
  for (const Unit& u : units) x = unit(x, u);
  return x;
}

namespace {

/// How far the last window of a ceil-rounded pool reaches beyond the padded input.
int ceil_extra(int64_t in, int kernel, int stride, int before, int after) {
  const int64_t free = in + before + after - kernel;
  if (free < 0 || free % stride == 0) return 0;
  const int64_t last_start = (free / stride + 1) * stride - before;
  return last_start >= in ? 0 : stride - static_cast<int>(free % stride);
}

Pool round_up(Pool p, const Shape& x) {
  p.ceil_extra_h = ceil_extra(x.h, p.kernel_h, p.stride_h, p.pad.top, p.pad.bottom);
  p.ceil_extra_w = ceil_extra(x.w, p.kernel_w, p.stride_w, p.pad.left, p.pad.right);
  p.pad.bottom += p.ceil_extra_h;
  p.pad.right += p.ceil_extra_w;
  return p;
}

}  // namespace

Value Net::relu(Value x) const {
  graph_->set_scope(path("relu"));
  return graph_->add(Act{Activation::relu}, {x});
}

Value Net::pool(Value x, PoolKind kind, Extent k, int stride, Pad pad, CountPadding count) const {
  const int ph = pad == Pad::half ? k.h / 2 : 0, pw = pad == Pad::half ? k.w / 2 : 0;
  const Pool floor{kind, k.h, k.w, stride, stride, {ph, ph, pw, pw}, count, 0, 0};
  const bool up = options_->pool_rounding == PoolRounding::ceil;
  return graph_->add(up ? round_up(floor, x.shape()) : floor, {x});
}

Value Net::max_pool(Value x, Extent kernel, int stride, Pad pad) const {
  graph_->set_scope(path("maxpool"));
  return pool(x, PoolKind::max, kernel, stride, pad, CountPadding::no);
}

Value Net::avg_pool(Value x, Extent kernel, int stride, Pad pad) const {
  graph_->set_scope(path("avgpool"));
  return pool(x, PoolKind::average, kernel, stride, pad, options_->average_counts_padding);
}

Value Net::concat(const std::vector<Value>& parts) const {
  graph_->set_scope(path("concat"));
  return graph_->add(Concat{}, parts);
}

Value Net::global_avg_pool(Value x) const {
  graph_->set_scope(path("avgpool"));
  return graph_->add(GlobalAvgPool{}, {x});
}

Value Net::dropout(Value x, float rate) const {
  if (options_->mode == Mode::infer || rate == 0) return x;
  graph_->set_scope(path("dropout"));
  // The node's number tells one dropout of a graph from another.
  return graph_->add(Dropout{rate, static_cast<uint32_t>(graph_->size())}, {graph_->step(), x});
}

Value Net::dense(Value x, std::string_view name, int outputs) const {
  const std::string full = path(name);
  const Shape& s = x.shape();
  const int64_t in = s.h * s.w * s.c;
  const Value w =
      param(full + ".weight", {outputs, s.h, s.w, s.c}, {InitKind::glorot_uniform, 0, in, outputs});
  const Value b = param(full + ".bias", vector_shape(outputs), {});
  graph_->set_scope(full);
  return graph_->add(Dense{}, {x, w, b});
}

}  // namespace xf
