#include "tests/standin/cudnn/finalize.h"

#include <string>
#include <utility>

#include "tests/standin/cudnn/plan_json.h"

namespace xf::standin::cudnn {
namespace {

constexpr cudnnBackendKnobType_t kTile = CUDNN_KNOB_TYPE_TILE_SIZE;

DescriptorPtr make(cudnnBackendDescriptorType_t type) { return std::make_shared<Descriptor>(type); }

DescriptorPtr tile_choice(int64_t tile) {
  DescriptorPtr d = make(CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR);
  d->give(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, kTile);
  d->give(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, tile);
  d->finalize();
  return d;
}

DescriptorPtr tile_info(int64_t most) {
  DescriptorPtr d = make(CUDNN_BACKEND_KNOB_INFO_DESCRIPTOR);
  d->give(CUDNN_ATTR_KNOB_INFO_TYPE, kTile);
  d->give(CUDNN_ATTR_KNOB_INFO_MAXIMUM_VALUE, most);
  d->give(CUDNN_ATTR_KNOB_INFO_MINIMUM_VALUE, int64_t{0});
  d->give(CUDNN_ATTR_KNOB_INFO_STRIDE, int64_t{1});
  d->finalize();
  return d;
}

void finalize_heuristics(Descriptor& d) {
  std::vector<DescriptorPtr> results;
  const DescriptorPtr graph = d.descriptor(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH);
  for (const Choice c : proposals(d.value<cudnnBackendHeurMode_t>(CUDNN_ATTR_ENGINEHEUR_MODE)))
    results.push_back(configuration(c, graph));
  d.give(CUDNN_ATTR_ENGINEHEUR_RESULTS, std::move(results));
}

void finalize_engine(Descriptor& d) {
  const Engine e = engine(d.value<int64_t>(CUDNN_ATTR_ENGINE_GLOBAL_INDEX),
                          Graph(*d.descriptor(CUDNN_ATTR_ENGINE_OPERATION_GRAPH)));
  std::vector<DescriptorPtr> knobs;
  if (e.most_tile > 0) knobs.push_back(tile_info(e.most_tile));
  d.give(CUDNN_ATTR_ENGINE_KNOB_INFO, std::move(knobs));
  d.give(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, std::span(e.notes));
  d.give(CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE, std::span(e.behavior));
}

void finalize_configuration(Descriptor& d) {
  const DescriptorPtr engine_descriptor = d.descriptor(CUDNN_ATTR_ENGINECFG_ENGINE);
  const Graph graph(*graph_of(d));
  const Engine e = engine(engine_descriptor->value<int64_t>(CUDNN_ATTR_ENGINE_GLOBAL_INDEX), graph);
  for (const DescriptorPtr& knob : d.descriptors(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES)) {
    const auto type = knob->value<cudnnBackendKnobType_t>(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE);
    const auto value = knob->value<int64_t>(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE);
    require(type == kTile && e.most_tile > 0 && value >= 0 && value <= e.most_tile,
            "engine configuration: knob " + std::to_string(type) + " has no value " + std::to_string(value));
  }
  std::vector<DescriptorPtr> knobs;  // all of them, chosen or not
  if (e.most_tile > 0) knobs.push_back(tile_choice(choice_of(d).tile));
  d.give(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, std::move(knobs));
  d.give(CUDNN_ATTR_ENGINECFG_WORKSPACE_SIZE, workspace_bytes(choice_of(d), graph));
  d.give(CUDNN_ATTR_ENGINECFG_SHARED_MEMORY_USED, int32_t{0});
}

void finalize_plan(Descriptor& d) {
  const auto text = d.values<char>(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION);
  if (!text.empty())
    d.give(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG,
           std::vector<DescriptorPtr>{configuration_from_json({text.begin(), text.end()})});
  const DescriptorPtr chosen = d.descriptor(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG);
  const Choice choice = choice_of(*chosen);
  require(engine(choice.engine, Graph(*graph_of(*chosen))).builds,
          "engine " + std::to_string(choice.engine) + " does not support this graph",
          CUDNN_STATUS_NOT_SUPPORTED);
  d.give(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE,
         chosen->value<int64_t>(CUDNN_ATTR_ENGINECFG_WORKSPACE_SIZE));
  const std::string json = plan_json(choice, *graph_of(*chosen));
  d.give(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, std::span<const char>(json));
}

void check_pack(const Descriptor& d) {
  require(d.values<int64_t>(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS).size() ==
              d.values<void*>(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS).size(),
          "variant pack: numbers of ids and pointers differ");
}

}  // namespace

void Descriptor::finalize() {
  require(!finalized_, "descriptor type " + std::to_string(type_) + " is already finalized");
  for (const AttributeRule& rule : attributes_of(type_))
    require(rule.giver != Giver::caller || find(rule.name) != nullptr, text(rule.name) + " is not set");
  switch (type_) {
    case CUDNN_BACKEND_TENSOR_DESCRIPTOR: check_tensor(*this); break;
    case CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR: check_convolution_descriptor(*this); break;
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR:
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR:
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR:
    case CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR: operation(*this); break;
    case CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR:
      Graph{*this};
      give(CUDNN_ATTR_OPERATIONGRAPH_ENGINE_GLOBAL_COUNT, kEngines);
      break;
    case CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR: finalize_heuristics(*this); break;
    case CUDNN_BACKEND_ENGINE_DESCRIPTOR: finalize_engine(*this); break;
    case CUDNN_BACKEND_ENGINECFG_DESCRIPTOR: finalize_configuration(*this); break;
    case CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR: finalize_plan(*this); break;
    case CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR: check_pack(*this); break;
    default: break;
  }
  finalized_ = true;
}

DescriptorPtr configuration(Choice choice, const DescriptorPtr& graph) {
  DescriptorPtr e = make(CUDNN_BACKEND_ENGINE_DESCRIPTOR), c = make(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
  e->give(CUDNN_ATTR_ENGINE_OPERATION_GRAPH, std::vector<DescriptorPtr>{graph});
  e->give(CUDNN_ATTR_ENGINE_GLOBAL_INDEX, choice.engine);
  e->finalize();
  c->give(CUDNN_ATTR_ENGINECFG_ENGINE, std::vector<DescriptorPtr>{e});
  if (choice.tile != 0)
    c->give(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, std::vector<DescriptorPtr>{tile_choice(choice.tile)});
  c->finalize();
  return c;
}

Choice choice_of(const Descriptor& configuration) {
  Choice c;
  c.engine =
      configuration.descriptor(CUDNN_ATTR_ENGINECFG_ENGINE)->value<int64_t>(CUDNN_ATTR_ENGINE_GLOBAL_INDEX);
  for (const DescriptorPtr& knob : configuration.descriptors(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES))
    c.tile = knob->value<int64_t>(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE);
  return c;
}

DescriptorPtr graph_of(const Descriptor& configuration) {
  return configuration.descriptor(CUDNN_ATTR_ENGINECFG_ENGINE)->descriptor(CUDNN_ATTR_ENGINE_OPERATION_GRAPH);
}

}  // namespace xf::standin::cudnn
