#include "tests/cudnn_plans/networks.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "engine/graph/graph.h"
#include "models/registry.h"

namespace xf::test {
namespace {

auto key(const NetworkConv& c) {
  const Conv2d& w = c.window;
  return std::tuple(c.x.h, c.x.w, c.x.c, c.outputs, w.kernel_h, w.kernel_w, w.stride_h, w.stride_w, w.pad.top,
                    w.pad.bottom, w.pad.left, w.pad.right);
}

class List {
 public:
  explicit List(std::string name) : list_{std::move(name), {}} {}

  void add(const NetworkConv& c) {
    const auto known = [&](const NetworkConv& other) { return key(other) == key(c); };
    if (std::none_of(list_.convs.begin(), list_.convs.end(), known)) list_.convs.push_back(c);
  }
  /// A square window on a square map, padded alike on all sides.
  void add(int64_t extent, int64_t channels, int64_t outputs, int kernel, int stride, int pad) {
    add({{1, extent, extent, channels},
         outputs,
         {kernel, kernel, stride, stride, {pad, pad, pad, pad}, Activation::none}});
  }
  NetworkConvs take() { return std::move(list_); }

 private:
  NetworkConvs list_;
};

NetworkConvs registered(std::string_view model) {
  const ModelInfo& info = find_model(model);
  const Dialect dialect = family_dialect(info.family, model);
  Graph g;
  const Value x = g.input("images", {{1, dialect.height, dialect.width, dialect.channels}, DType::f32});
  info.build(Net(g, net_options(dialect)), x, dialect, 1000);
  List list{std::string(model)};
  for (int id = 0; id < g.size(); ++id) {
    const Node& node = g.node(id);
    if (const auto* op = node.as<Conv2d>()) {
      NetworkConv c{node.inputs[0].shape(), node.outputs[0].shape.c, *op};
      c.window.act = Activation::none;
      list.add(c);
    }
  }
  return list.take();
}

// He et al. 2015, table 1, with the stride on the 3x3 convolutions.
NetworkConvs resnet152() {
  List list("ResNet-152");
  list.add(224, 3, 64, 7, 2, 3);
  int64_t in = 64, extent = 56;
  for (int stage = 0; stage < 4; ++stage) {
    const int64_t width = int64_t{64} << stage;
    const int stride = stage == 0 ? 1 : 2;
    list.add(extent, in, width, 1, 1, 0);
    list.add(extent, width, width, 3, stride, 1);
    list.add(extent, in, 4 * width, 1, stride, 0);
    extent /= stride;
    list.add(extent, width, 4 * width, 1, 1, 0);
    list.add(extent, 4 * width, width, 1, 1, 0);
    list.add(extent, width, width, 3, 1, 1);
    in = 4 * width;
  }
  return list.take();
}

// Simonyan & Zisserman 2014, configuration E.
NetworkConvs vgg19() {
  List list("VGG-19");
  int64_t in = 3, extent = 224;
  for (const auto& [channels, layers] : {std::pair(64, 2), {128, 2}, {256, 4}, {512, 4}, {512, 4}}) {
    for (int layer = 0; layer < layers; ++layer) {
      list.add(extent, in, channels, 3, 1, 1);
      in = channels;
    }
    extent /= 2;
  }
  return list.take();
}

// A row: input channels; 1x1; 3x3 reduction, 3x3; double 3x3 reduction, double 3x3; pool projection. Zeros
// where a branch is not there: then the 3x3 branches have stride 2.
struct Block {
  int64_t extent, in, one, reduce3, three, reduce_double, twice, pool;
};

NetworkConvs bn_inception() {
  List list("BN-Inception");
  list.add(224, 3, 64, 7, 2, 3);
  list.add(56, 64, 64, 1, 1, 0);
  list.add(56, 64, 192, 3, 1, 1);
  constexpr Block kBlocks[] = {
      {28, 192, 64, 64, 64, 64, 96, 32},       {28, 256, 64, 64, 96, 64, 96, 64},
      {28, 320, 0, 128, 160, 64, 96, 0},       {14, 576, 224, 64, 96, 96, 128, 128},
      {14, 576, 192, 96, 128, 96, 128, 128},   {14, 576, 160, 128, 160, 128, 160, 128},
      {14, 608, 96, 128, 192, 160, 192, 128},  {14, 608, 0, 128, 192, 192, 256, 0},
      {7, 1056, 352, 192, 320, 160, 224, 128}, {7, 1024, 352, 192, 320, 192, 224, 128},
  };
  for (const Block& b : kBlocks) {
    const int stride = b.one == 0 ? 2 : 1;
    if (b.one != 0) list.add(b.extent, b.in, b.one, 1, 1, 0);
    list.add(b.extent, b.in, b.reduce3, 1, 1, 0);
    list.add(b.extent, b.reduce3, b.three, 3, stride, 1);
    list.add(b.extent, b.in, b.reduce_double, 1, 1, 0);
    list.add(b.extent, b.reduce_double, b.twice, 3, 1, 1);
    list.add(b.extent, b.twice, b.twice, 3, stride, 1);
    if (b.pool != 0) list.add(b.extent, b.in, b.pool, 1, 1, 0);
  }
  return list.take();
}

}  // namespace

std::vector<NetworkConvs> networks() {
  std::vector<NetworkConvs> all;
  for (const std::string_view model : model_names()) all.push_back(registered(model));
  all.push_back(resnet152());
  all.push_back(vgg19());
  all.push_back(bn_inception());
  return all;
}

}  // namespace xf::test
