// What the ranks of a training exchange.
#include "engine/graph/infer.h"

namespace xf {

namespace {

std::vector<Spec> like_inputs(const Node& node) {
  if (node.inputs.empty()) shape_error(node, "a bucket holds something");
  std::vector<Spec> specs;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    need(node, i);
    if (node.inputs[i].spec().dtype != DType::f32) shape_error(node, "means are taken in f32");
    specs.push_back(node.inputs[i].spec());
  }
  return specs;
}

}  // namespace

std::vector<Spec> infer(const AllReduce&, const Node& node) { return like_inputs(node); }
std::vector<Spec> infer(const AllReduceWait&, const Node& node) { return like_inputs(node); }

}  // namespace xf
