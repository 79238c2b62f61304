#include "tests/ops/run_case.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "tests/ops/reference/reference.h"

namespace xf::test {
namespace {

/// One arrangement of the operands in memory.
struct Arrangement {
  std::string text;
  std::vector<int> strided;  ///< operands (inputs, then outputs) that are slices of wider tensors
  std::vector<std::pair<int, int>> shared;  ///< (output, input) in one place
  std::vector<int> unused;                  ///< outputs without memory
};

/// Whether a backend may round what the operation gives in f32 to the type of its activations first.
bool may_be_rounded(const OpAttributes& op) { return std::holds_alternative<ConvBwdWeights>(op); }

bool has(const std::vector<int>& list, int x) { return std::find(list.begin(), list.end(), x) != list.end(); }

class Lowered {
 public:
  Lowered(DeviceMemory& memory, const OpCase& op_case)
      : memory_(memory), backend_(memory.backend()), case_(op_case), in_(generate(op_case)) {
    std::vector<Value> values;
    for (size_t i = 0; i < case_.in.size(); ++i)
      values.push_back(case_.in[i].fill ? graph_.input(fmt::format("in{}", i), case_.in[i].spec) : Value{});
    graph_.set_scope(case_.name);
    node_ = &graph_.node(graph_.add(case_.op, values));
    expected_ = reference(case_.op, as_computed(case_, in_));
    kernel_ = backend_.lower(*node_);
    report_.impl = kernel_->impl();
    for (int i = 0; i < inputs(); ++i) pack(i);
  }

  CaseReport run(Arrangements tried) {
    check_specs();
    if (!report_.failures.empty()) return std::move(report_);
    std::vector<Arrangement> all = arrangements();
    if (tried == Arrangements::plain) all.resize(1);
    for (const Arrangement& a : all)
      if (report_.failures.empty()) run(a);
    return std::move(report_);
  }

 private:
  [[nodiscard]] int inputs() const { return static_cast<int>(case_.in.size()); }
  [[nodiscard]] int outputs() const { return static_cast<int>(node_->outputs.size()); }
  [[nodiscard]] Spec spec(int operand) const {
    return operand < inputs() ? case_.in[static_cast<size_t>(operand)].spec
                              : node_->outputs[static_cast<size_t>(operand - inputs())];
  }
  [[nodiscard]] const Array& numbers(int operand) const {
    return operand < inputs() ? in_[static_cast<size_t>(operand)]
                              : expected_[static_cast<size_t>(operand - inputs())];
  }
  void fail(const Arrangement& a, const std::string& what) {
    report_.failures.push_back(
        fmt::format("{} [{}] on {}, {}: {}", case_.name, op_name(case_.op), report_.impl, a.text, what));
  }
  [[nodiscard]] std::string operand_name(int operand) const {
    return operand < inputs() ? fmt::format("input {}", operand)
                              : fmt::format("output {}", operand - inputs());
  }

  /// What infer() says against what the reference computed.
  void check_specs() {
    if (expected_.size() != node_->outputs.size())
      return fail({"shapes", {}, {}, {}},
                  fmt::format("{} outputs instead of {}", outputs(), expected_.size()));
    for (int o = 0; o < outputs(); ++o) {
      const Array& e = expected_[static_cast<size_t>(o)];
      if (e && e.shape != spec(inputs() + o).shape)
        fail({"shapes", {}, {}, {}}, fmt::format("output {} is {} instead of {}", o,
                                                 to_string(spec(inputs() + o).shape), to_string(e.shape)));
    }
  }

  /// Makes the packed form of input `i` where the kernel wants one.
  void pack(int i) {
    packed_.emplace_back();
    const Layout layout = kernel_->wants(i);
    if (layout.id == 0 || !numbers(i)) return;
    Graph graph;
    const Value plain = graph.input("plain", spec(i));
    const Node& node = graph.node(graph.add(Pack{layout.id, layout.bytes}, {plain}));
    const std::unique_ptr<Kernel> packer = backend_.lower(node);
    memory_.reset();
    Guarded from(memory_, spec(i), spec(i).shape.c, 0), to(memory_, static_cast<size_t>(layout.bytes)),
        scratch(memory_, packer->workspace());
    from.write(numbers(i));
    to.write(Array{});
    scratch.write(Array{});
    const Spec packed = node.outputs[0];
    const std::vector<Ref> refs{from.ref(spec(i)), to.ref(packed)};
    packer->run(backend_.stream(Lane::compute), refs, {scratch.data(), packer->workspace()});
    const Arrangement here{"packing of " + operand_name(i), {}, {}, {}};
    if (const std::string d = from.changed(); !d.empty()) fail(here, "its source: " + d);
    if (const std::string d = to.damage(); !d.empty()) fail(here, "its result: " + d);
    packed_.back() = to.read_bytes();
  }

  [[nodiscard]] std::vector<Arrangement> arrangements() const {
    std::vector<Arrangement> all{{"plain", {}, {}, {}}};
    Arrangement strides{"all strided", {}, {}, {}};
    for (int i = 0; i < inputs() + outputs(); ++i)
      if (numbers(i) && kernel_->strided(i)) strides.strided.push_back(i);
    for (const int i : strides.strided) all.push_back({operand_name(i) + " strided", {i}, {}, {}});
    if (strides.strided.size() > 1) all.push_back(strides);
    for (int o = 0; o < outputs(); ++o)
      for (int i = 0; i < inputs(); ++i)
        if (numbers(i) && numbers(inputs() + o) && kernel_->in_place(o, i)) {
          const std::string text = fmt::format("output {} in input {}", o, i);
          all.push_back({text, {}, {{o, i}}, {}});
          if (kernel_->strided(i) && kernel_->strided(inputs() + o))
            all.push_back({text + ", strided", {i, inputs() + o}, {{o, i}}, {}});
        }
    for (const int o : case_.may_be_unused) {
      all.push_back({fmt::format("without output {}", o), {}, {}, {o}});
      Arrangement alone{fmt::format("output {} alone", o), {}, {}, case_.may_be_unused};
      alone.unused.erase(std::find(alone.unused.begin(), alone.unused.end(), o));
      if (alone.unused.size() > 1) all.push_back(alone);
    }
    if (case_.may_be_unused.size() > 1 && !has(case_.may_be_unused, 0))
      all.push_back({"output 0 alone", {}, {}, case_.may_be_unused});
    return all;
  }

  std::unique_ptr<Guarded> place(const Arrangement& a, int operand) {
    const bool is_input = operand < inputs();
    if (is_input && !packed_[static_cast<size_t>(operand)].empty()) {
      const std::vector<std::byte>& bytes = packed_[static_cast<size_t>(operand)];
      auto g = std::make_unique<Guarded>(memory_, bytes.size());
      g->write(bytes);
      return g;
    }
    const Spec s = spec(operand);
    const bool wide = has(a.strided, operand);
    auto g = std::make_unique<Guarded>(memory_, s, s.shape.c + (wide ? 7 : 0), wide ? 3 : 0);
    g->write(is_input ? numbers(operand) : Array{});
    return g;
  }

  void run(const Arrangement& a) {
    memory_.reset();
    const size_t count = case_.in.size() + node_->outputs.size();
    std::vector<std::unique_ptr<Guarded>> memory(count);
    std::vector<Guarded*> at(count);
    std::vector<bool> overwritten(count);
    std::vector<Ref> refs(count);
    for (int i = 0; i < inputs() + outputs(); ++i) {
      const auto k = static_cast<size_t>(i);
      if (!numbers(i) || (i >= inputs() && has(a.unused, i - inputs()))) continue;
      const auto partner = std::find_if(a.shared.begin(), a.shared.end(),
                                        [&](const auto& p) { return p.first == i - inputs(); });
      if (i >= inputs() && partner != a.shared.end()) {
        at[k] = at[static_cast<size_t>(partner->second)];
        overwritten[static_cast<size_t>(partner->second)] = true;
        if (spec(i).bytes() != spec(partner->second).bytes())
          return fail(a, "operands of different size cannot share memory");
      } else {
        memory[k] = place(a, i);
        at[k] = memory[k].get();
      }
      const bool is_packed = i < inputs() && !packed_[k].empty();
      refs[k] = at[k]->ref(is_packed ? Spec{vector_shape(static_cast<int64_t>(packed_[k].size())), DType::u8}
                                     : spec(i));
    }
    Guarded scratch(memory_, kernel_->workspace());
    const auto start = [&] {
      scratch.write(Array{});
      kernel_->run(backend_.stream(Lane::compute), refs,
                   {kernel_->workspace() > 0 ? scratch.data() : nullptr, kernel_->workspace()});
    };
    start();
    for (int i = 0; i < inputs() + outputs(); ++i) {
      const auto k = static_cast<size_t>(i);
      if (at[k] == nullptr) continue;
      const bool unchanged = i < inputs() && !overwritten[k];
      const std::string d = unchanged ? at[k]->changed() : at[k]->damage();
      if (!d.empty()) fail(a, operand_name(i) + ": " + d);
      if (i < inputs()) continue;
      const std::vector<double> got = at[k]->read(spec(i).dtype);
      const std::string wrong = compare(numbers(i), got, spec(i).dtype);
      if (!wrong.empty() && !(may_be_rounded(case_.op) && compare(numbers(i), got, case_.type).empty()))
        fail(a, operand_name(i) + ": " + wrong);
    }
    if (const std::string d = scratch.damage(); !d.empty()) fail(a, "scratch: " + d);
    if (a.text == "plain") repeat(a, at, start);
  }

  /// The same input gives the same bits, whatever was in the memory before.
  template <class Start>
  void repeat(const Arrangement& a, const std::vector<Guarded*>& at, Start start) {
    for (int o = inputs(); o < inputs() + outputs(); ++o) {
      Guarded* g = at[static_cast<size_t>(o)];
      report_.outputs.push_back(g == nullptr ? std::vector<std::byte>{} : g->read_bytes());
    }
    for (const auto& [o, i] : a.shared) at[static_cast<size_t>(i)]->write(numbers(i));
    start();
    for (int o = inputs(); o < inputs() + outputs(); ++o)
      if (Guarded* g = at[static_cast<size_t>(o)]; g != nullptr)
        if (g->read_bytes() != report_.outputs[static_cast<size_t>(o - inputs())])
          fail(a, operand_name(o) + ": a second run gives other bits");
  }

  DeviceMemory& memory_;
  Backend& backend_;
  const OpCase& case_;
  std::vector<Array> in_, expected_;
  Graph graph_;
  const Node* node_ = nullptr;
  std::unique_ptr<Kernel> kernel_;
  std::vector<std::vector<std::byte>> packed_;
  CaseReport report_;
};

}  // namespace

std::string compare(const Array& expected, const std::vector<double>& got, DType dtype) {
  size_t wrong = 0, first = 0;
  const auto range = [&](size_t i) {
    const double v = expected.value[i], e = expected.error.empty() ? 0 : expected.error[i];
    return std::pair(rounded_to(dtype, v - e), rounded_to(dtype, v + e));
  };
  for (size_t i = 0; i < got.size(); ++i) {
    if (!expected.error.empty() && std::isinf(expected.error[i])) continue;  // not a defined number
    const auto [low, high] = range(i);
    const bool both_nan = std::isnan(expected.value[i]) && std::isnan(got[i]);
    if (!(got[i] >= low && got[i] <= high) && !both_nan && wrong++ == 0) first = i;
  }
  if (wrong == 0) return {};
  const auto [low, high] = range(first);
  return fmt::format("{} of {} elements are wrong, first element {}: {} is not in [{}, {}]", wrong,
                     got.size(), first, got[first], low, high);
}

CaseReport run_case(DeviceMemory& memory, const OpCase& op_case, Arrangements tried) {
  return Lowered(memory, op_case).run(tried);
}

}  // namespace xf::test
