#include "tests/standin/cudnn/plan_json.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "tests/standin/cudnn/finalize.h"
#include "tests/standin/cudnn/library.h"

namespace xf::standin::cudnn {
namespace {

using nlohmann::json;

json to_json(const Descriptor& d) {
  json attributes = json::array();
  for (const auto& [name, a] : d.attributes()) {
    if (attribute_rule(d.type(), name).giver == Giver::library || a.type == CUDNN_TYPE_HANDLE) continue;
    json descriptors = json::array();
    for (const DescriptorPtr& inner : a.descriptors) descriptors.push_back(to_json(*inner));
    attributes.push_back({{"name", name},
                          {"type", a.type},
                          {"count", a.count},
                          {"bytes", std::vector<int>(a.bytes.begin(), a.bytes.end())},
                          {"descriptors", descriptors}});
  }
  return {{"type", d.type()}, {"attributes", attributes}};
}

DescriptorPtr from_json(const json& j) {
  auto d = std::make_shared<Descriptor>(j.at("type").get<cudnnBackendDescriptorType_t>());
  for (const json& one : j.at("attributes")) {
    Attribute a{one.at("type").get<cudnnBackendAttributeType_t>(), one.at("count").get<int64_t>(), {}, {}};
    for (const json& byte : one.at("bytes")) a.bytes.push_back(static_cast<char>(byte.get<int>()));
    for (const json& inner : one.at("descriptors")) a.descriptors.push_back(from_json(inner));
    d->set(one.at("name").get<cudnnBackendAttributeName_t>(), std::move(a));
  }
  d->finalize();
  return d;
}

}  // namespace

std::string plan_json(Choice choice, const Descriptor& graph) {
  return json{
      {"version", version()}, {"engine", choice.engine}, {"tile", choice.tile}, {"graph", to_json(graph)}}
      .dump();
}

DescriptorPtr configuration_from_json(const std::string& text) {
  try {
    const json j = json::parse(text);
    require(j.at("version").get<size_t>() == version(), "plan: another version wrote this",
            CUDNN_STATUS_SERIALIZATION_VERSION_MISMATCH);
    return configuration({j.at("engine").get<int64_t>(), j.at("tile").get<int64_t>()},
                         from_json(j.at("graph")));
  } catch (const json::exception& e) {
    fail(std::string("plan: ") + e.what());
  }
}

}  // namespace xf::standin::cudnn
