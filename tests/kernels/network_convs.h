#pragma once
// The convolutions of the networks, each distinct one once.

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "engine/graph/graph.h"
#include "models/registry.h"

namespace xf::test {

struct NetworkConv {
  std::string name;  ///< "inception_v3/35x35x48-64/5x5"
  Shape input;       ///< of one image
  int64_t outputs = 0;
  Conv2d op;
  int count = 1;  ///< how often the network has it
};

inline std::string conv_name(std::string_view model, const Shape& in, int64_t outputs, const Conv2d& op) {
  const std::string stride = op.stride_h > 1 ? fmt::format("s{}", op.stride_h) : "";
  return fmt::format("{}/{}x{}x{}-{}/{}x{}{}", model, in.h, in.w, in.c, outputs, op.kernel_h, op.kernel_w,
                     stride);
}

/// Those of InceptionV3, then of ResNet50, in their families' own definitions and input sizes.
inline std::vector<NetworkConv> network_convs() {
  std::vector<NetworkConv> convs;
  for (const std::string_view model : {"inception_v3", "resnet50"}) {
    const ModelInfo& info = find_model(model);
    const Dialect dialect = family_dialect(info.family, model);
    const NetOptions options = net_options(dialect);
    Graph g;
    const Value x = g.input("images", {{1, dialect.height, dialect.width, dialect.channels}, DType::f32});
    info.build(Net(g, options), x, dialect, 1000);
    for (int id = 0; id < g.size(); ++id) {
      const auto* op = g.node(id).as<Conv2d>();
      if (op == nullptr) continue;
      const Shape& in = g.node(id).inputs[0].shape();
      const int64_t outputs = g.node(id).outputs[0].shape.c;
      NetworkConv c{conv_name(model, in, outputs, *op), in, outputs, *op};
      bool known = false;
      for (NetworkConv& other : convs)
        if (other.name == c.name) {
          ++other.count;
          known = true;
        }
      if (!known) convs.push_back(std::move(c));
    }
  }
  return convs;
}

}  // namespace xf::test
