#pragma once
// The tensors that outlive a step: parameters, batch-norm state, gradients' sums, optimizer moments,
// averages. Every plan of a model shares one store and finds its tensors by name.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/core/tensor.h"
#include "engine/graph/graph.h"
#include "engine/run/backend.h"

namespace xf {

class ParamStore {
 public:
  explicit ParamStore(Backend& backend) : backend_(backend) {}

  /// Reserves zero-filled memory for each parameter and state of `graph` that is not here yet. A name that is
  /// here with another shape is an InternalError.
  void declare(const Graph& graph);
  /// Fills those of the graph's parameters and states that nobody has set yet, as their Init says. The
  /// numbers depend on seed, name and position alone.
  void initialise(const Graph& graph, uint64_t seed);

  [[nodiscard]] bool has(const std::string& name) const { return entries_.count(name) != 0; }
  /// Whether set() or initialise() gave it its numbers.
  [[nodiscard]] bool assigned(const std::string& name) const { return entry(name).assigned; }
  /// Where a tensor lies on the device. Throws InternalError when there is none of that name.
  [[nodiscard]] std::byte* address(const std::string& name) const;
  [[nodiscard]] const Shape& shape(const std::string& name) const;
  /// Names in the order of declaration.
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }

  /// Copies to and from the host. set() throws ShapeError when the shapes differ.
  [[nodiscard]] Tensor get(const std::string& name) const;
  void set(const std::string& name, const Tensor& value);

  [[nodiscard]] size_t bytes() const { return bytes_; }
  /// What declare(graph) would reserve on an empty store.
  static size_t bytes_for(const Graph& graph);

 private:
  struct Entry {
    Shape shape;
    std::byte* data;
    bool assigned = false;
  };
  [[nodiscard]] const Entry& entry(const std::string& name) const;
  Backend& backend_;
  std::vector<Buffer> buffers_;
  std::map<std::string, Entry> entries_;
  std::vector<std::string> names_;
  size_t bytes_ = 0;
};

}  // namespace xf
