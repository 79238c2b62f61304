#include "engine/graph/grad.h"
#include "engine/graph/infer.h"

namespace xf {

std::vector<Spec> infer(const Softmax&, const Node& node) { return {{need(node, 0), DType::f32}}; }

namespace {
void check_labels(const Node& node, size_t first, const Shape& classes) {
  const Shape each{classes.n, 1, 1, 1};
  if (need(node, first) != each || need(node, first + 1) != each)
    shape_error(node, "labels and image weights must be one number an image");
  need_vector(node, first + 2, classes.c);
}
}  // namespace

std::vector<Spec> infer(const SoftmaxXent&, const Node& node) {
  const Shape& logits = need(node, 0);
  if (logits.h != 1 || logits.w != 1) shape_error(node, "logits must be (images, 1, 1, classes)");
  check_labels(node, 1, logits);
  return {{{1, 1, 1, 1}, DType::f32},
          {logits, DType::f32},
          {vector_shape(5), DType::f32},
          {{logits.n, 1, 1, 1}, DType::f32}};
}

std::vector<Spec> infer(const SoftmaxXentBwd&, const Node& node) {
  const Shape& probabilities = need(node, 1);
  if (need(node, 0) != Shape{1, 1, 1, 1}) shape_error(node, "the loss's gradient must be one number");
  check_labels(node, 2, probabilities);
  return {{probabilities, DType::f32}};
}

void grad(Graph& g, Value y, const SoftmaxXent& op, Value dy, GradSink& out) {
  if (!out.need(0)) return;
  const Node& n = g.node(y);
  const Value class_weights = n.inputs.size() > 3 ? n.inputs[3] : Value{};
  out.add(0, g.add(SoftmaxXentBwd{op.label_smoothing},
                   {dy, Graph::output(y, 1), n.inputs[1], n.inputs[2], class_weights}));
}

}  // namespace xf
