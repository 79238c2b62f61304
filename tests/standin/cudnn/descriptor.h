#pragma once
// Descriptors of cuDNN's graph API: stores of typed attributes, sealed by finalization.

#include <cudnn_graph.h>

#include <cstring>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tests/standin/cudnn/attributes.h"
#include "tests/standin/cudnn/status.h"

namespace xf::standin::cudnn {

class Descriptor;
using DescriptorPtr = std::shared_ptr<Descriptor>;

struct Attribute {
  cudnnBackendAttributeType_t type;
  int64_t count = 0;
  std::vector<char> bytes;                 ///< the elements …
  std::vector<DescriptorPtr> descriptors;  ///< … unless they are descriptors
};

class Descriptor {
 public:
  explicit Descriptor(cudnnBackendDescriptorType_t t) : type_(t) { attributes_of(t); }

  [[nodiscard]] cudnnBackendDescriptorType_t type() const { return type_; }
  [[nodiscard]] bool finalized() const { return finalized_; }
  [[nodiscard]] const std::map<cudnnBackendAttributeName_t, Attribute>& attributes() const {
    return attributes_;
  }
  /// Null when it was not set.
  [[nodiscard]] const Attribute* find(cudnnBackendAttributeName_t name) const;

  /// Stores an attribute that the caller gives. Throws Failure when the descriptor is sealed, has no such
  /// attribute, or has it in another type or from the library.
  void set(cudnnBackendAttributeName_t name, Attribute attribute);
  /// Checks that all is there and consistent, and adds what the library gives (see finalize.cpp).
  void finalize();

  /// Elements of an attribute; none when it was not set.
  template <class T>
  [[nodiscard]] std::vector<T> values(cudnnBackendAttributeName_t name) const {
    const Attribute* a = find(name);
    if (a == nullptr) return {};
    std::vector<T> out(static_cast<size_t>(a->count));
    require(a->bytes.size() == out.size() * sizeof(T), text(name) + " has elements of another size",
            CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE);
    if (!out.empty()) std::memcpy(out.data(), a->bytes.data(), a->bytes.size());
    return out;
  }
  template <class T>
  [[nodiscard]] T value(cudnnBackendAttributeName_t name, T otherwise = {}) const {
    const std::vector<T> all = values<T>(name);
    return all.empty() ? otherwise : all.front();
  }
  /// A float or double.
  [[nodiscard]] double real(cudnnBackendAttributeName_t name, double otherwise) const;
  /// The finalized descriptors that an attribute holds. Throws Failure for one that is not finalized.
  [[nodiscard]] std::vector<DescriptorPtr> descriptors(cudnnBackendAttributeName_t name) const;
  /// The only one of them. Throws Failure when there is none, or more.
  [[nodiscard]] DescriptorPtr descriptor(cudnnBackendAttributeName_t name) const;

  /// Sets what the library gives.
  template <class T>
  void give(cudnnBackendAttributeName_t name, std::span<const T> elements) {
    const auto* first = reinterpret_cast<const char*>(elements.data());
    attributes_[name] = {attribute_rule(type_, name).types.front(),
                         static_cast<int64_t>(elements.size()),
                         {first, first + elements.size_bytes()},
                         {}};
  }
  template <class T>
  void give(cudnnBackendAttributeName_t name, T element) {
    give(name, std::span<const T>(&element, 1));
  }
  void give(cudnnBackendAttributeName_t name, std::vector<DescriptorPtr> descriptors);

 private:
  [[nodiscard]] std::string text(cudnnBackendAttributeName_t name) const;

  cudnnBackendDescriptorType_t type_;
  bool finalized_ = false;
  std::map<cudnnBackendAttributeName_t, Attribute> attributes_;
};

}  // namespace xf::standin::cudnn
