#include "tests/cudnn_plans/networks.h"

#include <algorithm>
#include <tuple>

#include "engine/graph/graph.h"
#include "models/registry.h"

namespace xf::test {
namespace {

auto key(const NetworkConv& c) {
  const Conv2d& w = c.window;
  return std::tuple(c.x.h, c.x.w, c.x.c, c.outputs, w.kernel_h, w.kernel_w, w.stride_h, w.stride_w, w.pad.top,
                    w.pad.bottom, w.pad.left, w.pad.right);
}

NetworkConvs convolutions(std::string_view model) {
  const ModelInfo& info = find_model(model);
  const Dialect dialect = family_dialect(info.family, model);
  Graph g;
  const Value x = g.input("images", {{1, dialect.height, dialect.width, dialect.channels}, DType::f32});
  info.build(Net(g, net_options(dialect)), x, dialect, 1000);
  NetworkConvs list{std::string(model), {}};
  for (int id = 0; id < g.size(); ++id) {
    const Node& node = g.node(id);
    const auto* op = node.as<Conv2d>();
    if (op == nullptr) continue;
    NetworkConv c{node.inputs[0].shape(), node.outputs[0].shape.c, *op};
    c.window.act = Activation::none;
    const auto same = [&](const NetworkConv& other) { return key(other) == key(c); };
    if (std::none_of(list.convs.begin(), list.convs.end(), same)) list.convs.push_back(c);
  }
  return list;
}

}  // namespace

std::vector<NetworkConvs> networks() {
  std::vector<NetworkConvs> all;
  for (const std::string_view model : model_names()) all.push_back(convolutions(model));
  return all;
}

}  // namespace xf::test
