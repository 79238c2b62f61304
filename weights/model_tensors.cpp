#include "weights/model_tensors.h"

#include "models/registry.h"

namespace xf::weights {

std::vector<NamedShape> model_tensors(std::string_view network, const Dialect& dialect, int classes) {
  const ModelInfo& model = find_model(network);
  Graph graph;
  const NetOptions options = net_options(dialect);
  const Value x = graph.input("x", {{1, dialect.height, dialect.width, dialect.channels}, DType::f32});
  static_cast<void>(model.build(Net(graph, options), x, dialect, classes));
  std::vector<NamedShape> tensors;
  for (int i = 0; i < graph.size(); ++i) {
    const Node& node = graph.node(i);
    if (node.source == Source::param || node.source == Source::state) {
      tensors.push_back({node.name, node.outputs[0].shape});
    }
  }
  return tensors;
}

}  // namespace xf::weights
