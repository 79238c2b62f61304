#include "tests/standin/cudnn/graph.h"

#include <algorithm>
#include <string>
#include <utility>

namespace xf::standin::cudnn {
namespace {

std::vector<const Tensor*> inputs(const Operation& o) {
  return std::visit([](const auto& op) { return op.inputs(); }, o);
}

const Tensor& output(const Operation& o) {
  return std::visit([](const auto& op) -> const Tensor& { return op.output(); }, o);
}

std::vector<double> results(const Operation& o, const Values& values, Arithmetic arithmetic) {
  if (const auto* c = std::get_if<Convolution>(&o)) return c->run(values, arithmetic);
  return std::get<Pointwise>(o).run(values);
}

std::vector<Operation> in_order(std::vector<Operation> todo, std::set<int64_t> ready) {
  std::vector<Operation> out;
  while (!todo.empty()) {
    const auto next = std::ranges::find_if(todo, [&](const Operation& o) {
      return std::ranges::all_of(inputs(o), [&](const Tensor* t) { return ready.contains(t->uid); });
    });
    require(next != todo.end(), "graph: its operations wait for each other");
    ready.insert(output(*next).uid);
    out.push_back(*next);
    todo.erase(next);
  }
  return out;
}

}  // namespace

Operation operation(const Descriptor& d) {
  Operation o = d.type() == CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR ? Operation(Pointwise(d))
                                                                         : Operation(Convolution(d));
  std::vector<const Tensor*> all = inputs(o);
  all.push_back(&output(o));
  for (const Tensor* t : all)
    require(t->by_value || !t->overlaps_itself(), t->text() + " has overlapping strides");
  return o;
}

Graph::Graph(const Descriptor& d) {
  std::vector<Operation> todo;
  for (const DescriptorPtr& o : d.descriptors(CUDNN_ATTR_OPERATIONGRAPH_OPS)) todo.push_back(operation(*o));
  require(!todo.empty(), "graph: no operations");
  const auto add = [&](const Tensor& t) {
    const auto [it, is_new] = tensors.emplace(t.uid, t);
    require(is_new || it->second == t, "graph: " + t.text() + " and " + it->second.text() + " have one id");
  };
  for (const Operation& o : todo) {
    for (const Tensor* t : inputs(o)) add(*t);
    add(output(o));
    require(written.insert(output(o).uid).second, "graph: " + output(o).text() + " is written twice");
  }
  std::set<int64_t> given;
  for (const auto& [uid, t] : tensors) {
    if (written.contains(uid)) continue;
    require(!t.is_virtual, "graph: virtual " + t.text() + " is never written");
    given.insert(uid);
  }
  operations = in_order(std::move(todo), std::move(given));
}

void run(const Graph& graph, Values& values, Arithmetic arithmetic) {
  for (const Operation& o : graph.operations) {
    const Tensor& to = output(o);
    std::vector<double> out = results(o, values, arithmetic);
    for (double& v : out) v = rounded(to.element(), v);
    values[to.uid] = std::move(out);
  }
}

}  // namespace xf::standin::cudnn
