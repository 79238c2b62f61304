#include "tests/standin/cudnn/descriptor.h"

#include <algorithm>
#include <utility>

namespace xf::standin::cudnn {

std::string Descriptor::text(cudnnBackendAttributeName_t name) const {
  return "attribute " + std::to_string(name) + " of descriptor type " + std::to_string(type_);
}

const Attribute* Descriptor::find(cudnnBackendAttributeName_t name) const {
  const auto it = attributes_.find(name);
  return it == attributes_.end() ? nullptr : &it->second;
}

void Descriptor::set(cudnnBackendAttributeName_t name, Attribute attribute) {
  require(!finalized_, text(name) + " is set, and the descriptor is already finalized");
  const AttributeRule& rule = attribute_rule(type_, name);
  require(rule.giver != Giver::library, text(name) + " is the library's to give");
  require(std::ranges::find(rule.types, attribute.type) != rule.types.end(),
          text(name) + " has another type than " + std::to_string(attribute.type),
          CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE);
  attributes_[name] = std::move(attribute);
}

double Descriptor::real(cudnnBackendAttributeName_t name, double otherwise) const {
  const Attribute* a = find(name);
  if (a == nullptr) return otherwise;
  return a->type == CUDNN_TYPE_DOUBLE ? value<double>(name) : value<float>(name);
}

std::vector<DescriptorPtr> Descriptor::descriptors(cudnnBackendAttributeName_t name) const {
  const Attribute* a = find(name);
  if (a == nullptr) return {};
  for (const DescriptorPtr& d : a->descriptors)
    require(d->finalized(), text(name) + " is not finalized", CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED);
  return a->descriptors;
}

DescriptorPtr Descriptor::descriptor(cudnnBackendAttributeName_t name) const {
  const std::vector<DescriptorPtr> all = descriptors(name);
  require(all.size() == 1, text(name) + " is " + std::to_string(all.size()) + " descriptors instead of one");
  return all.front();
}

void Descriptor::give(cudnnBackendAttributeName_t name, std::vector<DescriptorPtr> descriptors) {
  const auto count = static_cast<int64_t>(descriptors.size());
  attributes_[name] = {CUDNN_TYPE_BACKEND_DESCRIPTOR, count, {}, std::move(descriptors)};
}

}  // namespace xf::standin::cudnn
