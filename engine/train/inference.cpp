#include "engine/train/inference.h"

#include "engine/core/error.h"

namespace xf {

InferenceGraph record_inference(const NetworkSpec& spec, const InferenceOptions& options) {
  InferenceGraph r{std::make_unique<Graph>(), {}};
  Graph& g = *r.graph;
  NetOptions net = spec.net;
  net.mode = Mode::infer;
  const ModelOutputs model = spec.build(Net(g, net), record_input(g, spec, options.batch, options.input));
  if (model.logits) g.set_name("logits", model.logits);
  for (const std::string& result : options.results) {
    if (result != "probabilities") {
      // Results are read as f32, whatever the plan computes with.
      g.set_scope(result);
      r.keep.push_back(g.add(Cast{DType::f32}, {g.named(result)}));
      continue;
    }
    if (!model.logits)
      throw UsageError("probabilities", "need a network with a classifier; this one has none");
    g.set_scope("probabilities");
    r.keep.push_back(g.add(Softmax{}, {model.logits}));
  }
  return r;
}

Inference::Inference(const NetworkSpec& spec, const InferenceOptions& options, Backend& backend,
                     ParamStore& store, ActivationMemory& memory)
    : batch_(options.batch),
      results_(options.results.size()),
      input_(options.input == InputKind::images ? "images" : "tensor") {
  const InferenceGraph recorded = record_inference(spec, options);
  store.declare(*recorded.graph);
  const CompileOptions compile_options{options.precision, options.weights, options.allow_reference};
  executor_ = std::make_unique<Executor>(compile(*recorded.graph, recorded.keep, compile_options, backend),
                                         backend, store, memory, options.prefix);
}

void Inference::run(const Tensor& input) {
  executor_->write(input_, input);
  executor_->run_batch();
}

}  // namespace xf
