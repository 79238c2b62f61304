// Graphs built with cudnn-frontend, as the backend builds them, on the stand-in for cuDNN: numbers, choices
// between engines, and the mistakes that must be found. The only file here that includes the frontend, which
// takes long.

#include <cudnn_frontend.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tests/standin/device.h"
#include "tests/standin/device_array.h"

namespace xf::standin {
namespace {

namespace fe = cudnn_frontend;
using fe::graph::Tensor_attributes;
using TensorPtr = std::shared_ptr<Tensor_attributes>;
using Values = std::vector<double>;

struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};
using standin::check;
void check(fe::error_t e) {
  if (e.is_bad()) throw Error(e.get_message());
}

fe::DataType_t data_type(Element e) {
  switch (e) {
    case Element::f32: return fe::DataType_t::FLOAT;
    case Element::bf16: return fe::DataType_t::BFLOAT16;
    case Element::f16: break;
  }
  return fe::DataType_t::HALF;
}

class Library {
 public:
  Library() { REQUIRE(cudnnCreate(&handle_) == CUDNN_STATUS_SUCCESS); }
  ~Library() { cudnnDestroy(handle_); }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  operator cudnnHandle_t() const { return handle_; }  // NOLINT(google-explicit-constructor)

 private:
  cudnnHandle_t handle_ = nullptr;
};

/// A convolution, with tensors in NHWC and filters in KRSC.
struct Problem {
  int64_t n, c, h, w, k, r, s;
  std::array<int64_t, 2> stride{1, 1}, pre{0, 0}, post{0, 0}, dilation{1, 1};

  [[nodiscard]] int64_t p() const {
    return (h + pre[0] + post[0] - dilation[0] * (r - 1) - 1) / stride[0] + 1;
  }
  [[nodiscard]] int64_t q() const {
    return (w + pre[1] + post[1] - dilation[1] * (s - 1) - 1) / stride[1] + 1;
  }
  [[nodiscard]] size_t x_count() const { return static_cast<size_t>(n * h * w * c); }
  [[nodiscard]] size_t w_count() const { return static_cast<size_t>(k * r * s * c); }
  [[nodiscard]] size_t y_count() const { return static_cast<size_t>(n * p() * q() * k); }

  /// f(place in x, in the filters, in y) for every product.
  void for_products(const std::function<void(size_t, size_t, size_t)>& f) const {
    for (int64_t image = 0; image < n; ++image)
      for (int64_t i = 0; i < p(); ++i)
        for (int64_t j = 0; j < q(); ++j)
          for (int64_t a = 0; a < r; ++a)
            for (int64_t b = 0; b < s; ++b) {
              const int64_t row = i * stride[0] - pre[0] + a * dilation[0];
              const int64_t column = j * stride[1] - pre[1] + b * dilation[1];
              if (row < 0 || row >= h || column < 0 || column >= w) continue;
              for (int64_t filter = 0; filter < k; ++filter)
                for (int64_t channel = 0; channel < c; ++channel)
                  f(static_cast<size_t>(((image * h + row) * w + column) * c + channel),
                    static_cast<size_t>(((filter * r + a) * s + b) * c + channel),
                    static_cast<size_t>(((image * p() + i) * q() + j) * k + filter));
            }
  }
  [[nodiscard]] Values forward(const Values& x, const Values& filters) const {
    Values y(y_count(), 0);
    for_products([&](size_t i, size_t j, size_t o) { y[o] += x[i] * filters[j]; });
    return y;
  }
  [[nodiscard]] Values backward_data(const Values& dy, const Values& filters) const {
    Values dx(x_count(), 0);
    for_products([&](size_t i, size_t j, size_t o) { dx[i] += dy[o] * filters[j]; });
    return dx;
  }
  [[nodiscard]] Values backward_filter(const Values& x, const Values& dy) const {
    Values dw(w_count(), 0);
    for_products([&](size_t i, size_t j, size_t o) { dw[j] += x[i] * dy[o]; });
    return dw;
  }
};

const Problem kStrided{
    .n = 2, .c = 8, .h = 9, .w = 7, .k = 16, .r = 3, .s = 3, .stride = {2, 2}, .pre = {1, 1}, .post = {1, 1}};
const Problem kPointwise{.n = 2, .c = 16, .h = 5, .w = 6, .k = 8, .r = 1, .s = 1};
const Problem kAsymmetric{
    .n = 1, .c = 4, .h = 8, .w = 9, .k = 4, .r = 3, .s = 2, .stride = {2, 1}, .pre = {0, 1}, .post = {1, 0}};
const Problem kDilated{.n = 1,
                       .c = 4,
                       .h = 9,
                       .w = 8,
                       .k = 4,
                       .r = 2,
                       .s = 3,
                       .pre = {1, 0},
                       .post = {1, 2},
                       .dilation = {3, 2}};

/// Dimensions n, c, h, w whose pixels lie `row` elements apart.
Tensor_attributes pixels(std::array<int64_t, 4> dims, int64_t row = 0) {
  const auto [n, c, h, w] = dims;
  if (row == 0) row = c;
  return Tensor_attributes().set_dim({n, c, h, w}).set_stride({h * w * row, 1, w * row, row});
}

/// A graph with memory for its tensors. Engines whose results vary or lose precision are left out.
class Model {
 public:
  explicit Model(Element element) : element_(element) {
    graph.set_io_data_type(data_type(element))
        .set_intermediate_data_type(fe::DataType_t::FLOAT)
        .set_compute_data_type(fe::DataType_t::FLOAT);
  }

  TensorPtr input(Tensor_attributes attributes, const Values& values) {
    return input(std::move(attributes), DeviceArray(element_, values, stream));
  }
  TensorPtr input(Tensor_attributes attributes, DeviceArray array) {
    TensorPtr t = graph.tensor(attributes.set_uid(next_uid_++).set_data_type(data_type(element_)));
    pack[t->get_uid()] = array.data();
    arrays_.push_back(std::make_unique<DeviceArray>(std::move(array)));
    return t;
  }
  /// The graph's one output.
  void output(const TensorPtr& t, size_t count) {
    t->set_output(true).set_uid(next_uid_++).set_data_type(data_type(element_));
    arrays_.push_back(std::make_unique<DeviceArray>(element_, count));
    pack[t->get_uid()] = arrays_.back()->data();
    out = arrays_.back().get();
  }

  void plan() {
    check(graph.validate());
    check(graph.build_operation_graph(library));
    check(graph.create_execution_plans({fe::HeurMode_t::A, fe::HeurMode_t::FALLBACK}));
    graph.deselect_numeric_notes(
        {fe::NumericalNote_t::NONDETERMINISTIC, fe::NumericalNote_t::DOWN_CONVERT_INPUTS});
    graph.deselect_behavior_notes({fe::BehaviorNote_t::RUNTIME_COMPILATION});
    check(graph.check_support());
    check(graph.build_plans(fe::BuildPlanPolicy_t::HEURISTICS_CHOICE));
  }
  void reserve_workspace() {
    int64_t bytes = 0;
    check(graph.get_workspace_size(bytes));
    workspace = std::make_unique<DeviceArray>(Element::f32, static_cast<size_t>(bytes + 3) / 4);
  }
  void execute() {
    REQUIRE(cudnnSetStream(library, stream) == CUDNN_STATUS_SUCCESS);
    check(graph.execute(library, pack, workspace ? workspace->data() : nullptr));
  }
  Values run() {
    plan();
    reserve_workspace();
    execute();
    return out->download(stream);
  }

  TestStream stream;
  Library library;
  fe::graph::Graph graph;
  std::unordered_map<int64_t, void*> pack;
  std::unique_ptr<DeviceArray> workspace;
  DeviceArray* out = nullptr;

 private:
  Element element_;
  int64_t next_uid_ = 1;
  std::vector<std::unique_ptr<DeviceArray>> arrays_;
};

template <class Attributes>
Attributes with_geometry(const Problem& p) {
  return Attributes()
      .set_pre_padding({p.pre[0], p.pre[1]})
      .set_post_padding({p.post[0], p.post[1]})
      .set_stride({p.stride[0], p.stride[1]})
      .set_dilation({p.dilation[0], p.dilation[1]});
}

Tensor_attributes x_of(const Problem& p) { return pixels({p.n, p.c, p.h, p.w}); }
Tensor_attributes y_of(const Problem& p) { return pixels({p.n, p.k, p.p(), p.q()}); }
Tensor_attributes filters_of(const Problem& p) { return pixels({p.k, p.c, p.r, p.s}); }

TensorPtr convolved(Model& m, const Problem& p, const Values& x, const Values& filters) {
  const TensorPtr tx = m.input(x_of(p), x), tw = m.input(filters_of(p), filters);
  return m.graph.conv_fprop(tx, tw, with_geometry<fe::graph::Conv_fprop_attributes>(p));
}

/// A forward convolution, ready to be planned.
std::unique_ptr<Model> forward(const Problem& p, Element e = Element::bf16) {
  auto m = std::make_unique<Model>(e);
  m->output(convolved(*m, p, whole_numbers(p.x_count(), 1), whole_numbers(p.w_count(), 2)), p.y_count());
  return m;
}

template <class F>
std::string message_of(F f) {
  try {
    f();
  } catch (const std::exception& e) {
    return e.what();
  }
  return "no error";
}

TEST_CASE("cudnn: convolutions, forward and both backward, are what plain loops compute") {
  for (const Element e : {Element::f32, Element::bf16, Element::f16}) {
    for (const Problem& p : {kStrided, kPointwise, kAsymmetric, kDilated}) {
      CAPTURE(static_cast<int>(e));
      CAPTURE(p.r);
      CAPTURE(p.s);
      const Values x = whole_numbers(p.x_count(), 1), filters = whole_numbers(p.w_count(), 2),
                   dy = whole_numbers(p.y_count(), 3);
      Model fprop(e), dgrad(e), wgrad(e);
      fprop.output(convolved(fprop, p, x, filters), p.y_count());
      CHECK(fprop.run() == rounded(e, p.forward(x, filters)));

      TensorPtr gradient = dgrad.input(y_of(p), dy), weights = dgrad.input(filters_of(p), filters);
      TensorPtr result =
          dgrad.graph.conv_dgrad(gradient, weights, with_geometry<fe::graph::Conv_dgrad_attributes>(p));
      result->set_dim(x_of(p).get_dim());
      dgrad.output(result, p.x_count());
      CHECK(dgrad.run() == rounded(e, p.backward_data(dy, filters)));

      gradient = wgrad.input(y_of(p), dy);
      const TensorPtr image = wgrad.input(x_of(p), x);
      result = wgrad.graph.conv_wgrad(gradient, image, with_geometry<fe::graph::Conv_wgrad_attributes>(p));
      result->set_dim(filters_of(p).get_dim());
      wgrad.output(result, p.w_count());
      CHECK(wgrad.run() == rounded(e, p.backward_filter(x, dy)));
    }
  }
}

TEST_CASE("cudnn: a convolution with bias, residual and ReLU is one graph") {
  const Problem& p = kStrided;
  for (const Element e : {Element::f32, Element::bf16, Element::f16}) {
    const Values x = whole_numbers(p.x_count(), 1), filters = whole_numbers(p.w_count(), 2),
                 bias = whole_numbers(static_cast<size_t>(p.k), 3), residual = whole_numbers(p.y_count(), 4);
    Values expected = p.forward(x, filters);
    for (const bool has_residual : {false, true}) {
      Model m(e);
      const auto mode = [](fe::PointwiseMode_t how) {
        return fe::graph::Pointwise_attributes().set_mode(how);
      };
      TensorPtr t = convolved(m, p, x, filters);
      t = m.graph.pointwise(t, m.input(pixels({1, p.k, 1, 1}), bias), mode(fe::PointwiseMode_t::ADD));
      if (has_residual) t = m.graph.pointwise(t, m.input(y_of(p), residual), mode(fe::PointwiseMode_t::ADD));
      m.output(m.graph.pointwise(t, mode(fe::PointwiseMode_t::RELU_FWD)), p.y_count());
      Values want = expected;
      for (size_t i = 0; i < want.size(); ++i)
        want[i] = std::max(0.0, want[i] + bias[i % bias.size()] + (has_residual ? residual[i] : 0));
      CHECK(m.run() == rounded(e, want));
    }
  }
}

TEST_CASE("cudnn: what stays inside a graph is rounded to its own type") {
  const Problem& p = kStrided;
  const Values x = whole_numbers(p.x_count(), 1), filters = whole_numbers(p.w_count(), 2),
               residual = whole_numbers(p.y_count(), 3);
  Model m(Element::f32);
  m.graph.set_intermediate_data_type(fe::DataType_t::BFLOAT16);
  const auto mode = [](fe::PointwiseMode_t how) { return fe::graph::Pointwise_attributes().set_mode(how); };
  const TensorPtr scale = m.input(pixels({1, 1, 1, 1}), Values{5}), t = convolved(m, p, x, filters);
  const TensorPtr scaled = m.graph.pointwise(t, scale, mode(fe::PointwiseMode_t::MUL));
  m.output(m.graph.pointwise(scaled, m.input(y_of(p), residual), mode(fe::PointwiseMode_t::ADD)),
           p.y_count());
  Values expected = p.forward(x, filters);
  bool differs = false;
  for (size_t i = 0; i < expected.size(); ++i) {
    const double inside = rounded(Element::bf16, 5 * rounded(Element::bf16, expected[i]));
    differs |= inside != 5 * expected[i];
    expected[i] = inside + residual[i];
  }
  CHECK(differs);
  CHECK(m.run() == expected);
}

TEST_CASE("cudnn: a ReLU's gradient in one graph with what it multiplies") {
  const Values x = whole_numbers(120, 1), dy = whole_numbers(120, 2), scale = whole_numbers(8, 3);
  Model m(Element::f32);
  const auto mode = [](fe::PointwiseMode_t how) {
    return fe::graph::Pointwise_attributes().set_mode(how).set_compute_data_type(fe::DataType_t::FLOAT);
  };
  const TensorPtr tx = m.input(pixels({1, 8, 3, 5}), x), tdy = m.input(pixels({1, 8, 3, 5}), dy);
  TensorPtr t = m.graph.pointwise(tdy, tx, mode(fe::PointwiseMode_t::RELU_BWD));
  t = m.graph.pointwise(t, m.input(pixels({1, 8, 1, 1}), scale), mode(fe::PointwiseMode_t::MUL));
  t = m.graph.pointwise(t, tx, mode(fe::PointwiseMode_t::SUB));
  m.output(m.graph.pointwise(t, mode(fe::PointwiseMode_t::IDENTITY)), 120);
  const Values got = m.run();
  for (size_t i = 0; i < got.size(); ++i) CHECK(got[i] == (x[i] > 0 ? dy[i] : 0) * scale[i % 8] - x[i]);
}

TEST_CASE("cudnn: tensors may be slices of wider ones, and what lies between is left alone") {
  const Problem& p = kAsymmetric;
  constexpr int64_t wide = 12, first = 8;  // channels of the wider tensors, and the slice's first
  const Values x = whole_numbers(static_cast<size_t>(p.n * p.h * p.w * wide), 1),
               filters = whole_numbers(p.w_count(), 2);
  Values slice;
  for (size_t i = 0; i < x.size(); ++i)
    if (i % wide >= first) slice.push_back(x[i]);
  const Values expected = p.forward(slice, filters);

  Model m(Element::f32);
  const TensorPtr tx = m.input(pixels({p.n, p.c, p.h, p.w}, wide), x), tw = m.input(filters_of(p), filters);
  const TensorPtr y = m.graph.conv_fprop(tx, tw, with_geometry<fe::graph::Conv_fprop_attributes>(p));
  y->set_dim(y_of(p).get_dim()).set_stride(pixels({p.n, p.k, p.p(), p.q()}, wide).get_stride());
  m.output(y, p.y_count() / static_cast<size_t>(p.k) * wide);
  for (const int64_t uid : {tx->get_uid(), y->get_uid()})
    m.pack[uid] = static_cast<float*>(m.pack[uid]) + first;
  const Values got = m.run();
  for (size_t i = 0; i < got.size(); ++i) {
    if (i % wide >= first)
      CHECK(got[i] == expected[i / wide * static_cast<size_t>(p.k) + i % wide - first]);
    else
      CHECK(std::isnan(got[i]));
  }
}

const Values& expected_forward() {
  static const Values y = rounded(Element::bf16, kStrided.forward(whole_numbers(kStrided.x_count(), 1),
                                                                  whole_numbers(kStrided.w_count(), 2)));
  return y;
}

TEST_CASE("cudnn: a captured graph replays a plan") {
  const auto m = forward(kStrided);
  m->plan();
  m->reserve_workspace();
  cudaGraph_t captured = nullptr;
  cudaGraphExec_t executable = nullptr;
  check(cudaStreamBeginCapture(m->stream, cudaStreamCaptureModeThreadLocal));
  m->execute();
  check(cudaStreamEndCapture(m->stream, &captured));
  CHECK(std::isnan(m->out->download(m->stream)[0]));  // nothing ran
  check(cudaGraphInstantiate(&executable, captured, 0));
  check(cudaGraphDestroy(captured));
  for (int replay = 0; replay < 2; ++replay) {
    check(cudaMemsetAsync(m->out->data(), 0, m->out->bytes(), m->stream));
    check(cudaGraphLaunch(executable, m->stream));
    CHECK(m->out->download(m->stream) == expected_forward());
  }
  m->workspace.reset();
  check(cudaGraphLaunch(executable, m->stream));
  CHECK(message_of([&] { m->stream.synchronize(); }).find("workspace") != std::string::npos);
  check(cudaGraphExecDestroy(executable));
}

TEST_CASE("cudnn: results are there once the stream was waited for, not before") {
  const auto m = forward(kStrided);
  m->plan();
  m->reserve_workspace();
  m->execute();
  CHECK(m->out->download(m->stream, false)[0] == 0);
  CHECK(m->out->download(m->stream) == expected_forward());
}

/// Tags of the plans that the heuristics propose and a caller's filters leave: "eng0_k2=1".
std::vector<std::string> supported_plans(Model& m) {
  std::vector<std::string> out;
  for (int64_t i = 0; i < m.graph.get_execution_plan_count(); ++i) {
    std::string name;
    check(m.graph.get_plan_name_at_index(i, name));
    if (m.graph.build_plan_at_index(i).is_good()) out.push_back(name.substr(name.find("eng")));
  }
  return out;
}

void propose(Model& m, const std::vector<fe::HeurMode_t>& modes = {fe::HeurMode_t::A}) {
  check(m.graph.validate());
  check(m.graph.build_operation_graph(m.library));
  check(m.graph.create_execution_plans(modes));
}

using Notes = std::vector<fe::NumericalNote_t>;
using Names = std::vector<std::string>;

TEST_CASE("cudnn: the heuristics propose what a caller must tell apart, the worst first") {
  const auto plans = [](Element e, const Notes& unwanted,
                        const std::vector<fe::HeurMode_t>& modes = {fe::HeurMode_t::A}) {
    const auto m = forward(kStrided, e);
    propose(*m, modes);
    m->graph.deselect_numeric_notes(unwanted);
    return supported_plans(*m);
  };
  CHECK(plans(Element::f32, {}) == Names{"eng2", "eng1", "eng5", "eng0_k2=1", "eng0_k2=0"});
  CHECK(plans(Element::f32, {fe::NumericalNote_t::TENSOR_CORE}) ==
        Names{"eng1", "eng5", "eng0_k2=1", "eng0_k2=0"});
  CHECK(plans(Element::f32, {fe::NumericalNote_t::DOWN_CONVERT_INPUTS}) ==
        Names{"eng1", "eng5", "eng0_k2=1", "eng0_k2=0"});
  CHECK(plans(Element::f32, {fe::NumericalNote_t::NONDETERMINISTIC}) ==
        Names{"eng2", "eng5", "eng0_k2=1", "eng0_k2=0"});
  CHECK(plans(Element::bf16, {fe::NumericalNote_t::DOWN_CONVERT_INPUTS}) ==
        Names{"eng2", "eng1", "eng5", "eng0_k2=1", "eng0_k2=0"});
  CHECK(plans(Element::bf16, {fe::NumericalNote_t::TENSOR_CORE}) ==
        Names{"eng1", "eng5", "eng0_k2=1", "eng0_k2=0"});
  CHECK(plans(Element::f32, {}, {fe::HeurMode_t::FALLBACK}) == Names{"eng3"});
}

TEST_CASE("cudnn: an engine that the heuristics name may not support the graph after all") {
  const auto m = forward(kStrided);
  propose(*m);
  CHECK(m->graph.get_execution_plan_count() == 6);
  const fe::error_t refused = m->graph.build_plan_at_index(2);
  CHECK(message_of([&] { check(refused); }) != "no error");
  CHECK(m->graph.build_plan_at_index(3).is_good());
}

TEST_CASE("cudnn: plans differ in workspace, and a limit leaves out those above it") {
  const auto m = forward(kStrided, Element::f32);
  propose(*m, {fe::HeurMode_t::A, fe::HeurMode_t::FALLBACK});
  const auto workspace = [&](int64_t plan) {
    int64_t bytes = -1;
    check(m->graph.build_plan_at_index(plan));
    check(m->graph.get_workspace_size_plan_at_index(plan, bytes));
    return bytes;
  };
  CHECK(workspace(0) < workspace(5));
  CHECK(workspace(5) < workspace(4));
  CHECK(workspace(4) < workspace(1));
  CHECK(workspace(6) == 0);
  const auto limited = forward(kStrided, Element::f32);
  propose(*limited);
  limited->graph.deselect_workspace_greater_than(workspace(5));
  CHECK(supported_plans(*limited) == Names{"eng2", "eng5", "eng0_k2=0"});
}

/// One plan of a 1x1 convolution of ones with thirds, in f32, run twice.
std::pair<Values, Values> thirds(const std::string& engine) {
  Model m(Element::f32);
  const Problem& p = kPointwise;
  m.output(convolved(m, p, Values(p.x_count(), 1), Values(p.w_count(), 1.0 / 3)), p.y_count());
  propose(m);
  for (int64_t i = 0; i < m.graph.get_execution_plan_count(); ++i) {
    std::string name;
    check(m.graph.get_plan_name_at_index(i, name));
    if (name.find(engine) == std::string::npos) continue;
    check(m.graph.build_plan_at_index(i));
    m.workspace = std::make_unique<DeviceArray>(Element::f32, 1 << 16);
    const auto run = [&] {
      REQUIRE(cudnnSetStream(m.library, m.stream) == CUDNN_STATUS_SUCCESS);
      check(m.graph.execute_plan_at_index(m.library, m.pack, m.workspace->data(), i));
      return m.out->download(m.stream);
    };
    Values first = run();
    return {std::move(first), run()};
  }
  throw Error("no plan has engine " + engine);
}

TEST_CASE("cudnn: what an engine's notes say shows in its numbers") {
  const double sum = 16.0 * static_cast<float>(1.0 / 3);
  const auto [plain, plain_again] = thirds("eng0");
  CHECK(plain == Values(plain.size(), static_cast<float>(sum)));
  CHECK(plain == plain_again);
  const auto [cut, cut_again] = thirds("eng2");
  CHECK(std::abs(cut[0] - sum) > 1e-4 * sum);
  CHECK(std::abs(cut[0] - sum) < 1e-3 * sum);
  CHECK(cut == cut_again);
  const auto [varies, varies_again] = thirds("eng1");
  CHECK(varies != varies_again);
  CHECK(std::abs(varies[0] - varies_again[0]) < 1e-6 * sum);
}

TEST_CASE("cudnn: an engine and its knobs name a plan") {
  const auto m = forward(kStrided), again = forward(kStrided);
  propose(*m);
  int64_t engine = -1;
  std::unordered_map<fe::KnobType_t, int64_t> knobs;
  check(m->graph.get_engine_and_knobs_at_index(4, engine, knobs));
  CHECK(engine == 0);
  CHECK(knobs == std::unordered_map<fe::KnobType_t, int64_t>{{fe::KnobType_t::TILE_SIZE, 1}});

  check(again->graph.validate());
  check(again->graph.build_operation_graph(again->library));
  int64_t engines = 0;
  check(again->graph.get_engine_count(engines));
  CHECK(engines == 6);
  CHECK(again->graph.create_execution_plan(engines, {}).is_bad());
  CHECK(again->graph.create_execution_plan(0, {{fe::KnobType_t::TILE_SIZE, 2}}).is_bad());
  CHECK(again->graph.create_execution_plan(0, {{fe::KnobType_t::STAGES, 1}}).is_bad());
  check(again->graph.create_execution_plan(engine, knobs));
  check(again->graph.check_support());
  check(again->graph.build_plans());
  int64_t bytes = 0, bytes_again = 1;
  check(m->graph.build_plan_at_index(4));
  check(m->graph.get_workspace_size_plan_at_index(4, bytes));
  check(again->graph.get_workspace_size(bytes_again));
  CHECK(bytes == bytes_again);
  again->reserve_workspace();
  again->execute();
  CHECK(again->out->download(again->stream) == expected_forward());
}

TEST_CASE("cudnn: a plan is written and read back, by the version that wrote it") {
  const auto m = forward(kStrided);
  m->plan();
  std::vector<uint8_t> text;
  check(m->graph.serialize(text));
  fe::graph::Graph read;
  check(read.deserialize(m->library, text));
  m->reserve_workspace();
  REQUIRE(cudnnSetStream(m->library, m->stream) == CUDNN_STATUS_SUCCESS);
  int64_t bytes = -1;
  check(read.get_workspace_size(bytes));
  CHECK(bytes <= static_cast<int64_t>(m->workspace->bytes()));
  check(read.execute(m->library, m->pack, m->workspace->data()));
  CHECK(m->out->download(m->stream) == expected_forward());

  const Machine before = machine();
  machine().cudnn_version = 91800;
  fe::graph::Graph other;
  CHECK(other.deserialize(m->library, text).is_bad());
  machine() = before;
}

TEST_CASE("cudnn: of all plans built, each can run") {
  const auto m = forward(kStrided);
  propose(*m);
  m->graph.deselect_numeric_notes({fe::NumericalNote_t::NONDETERMINISTIC});
  check(m->graph.check_support());
  check(m->graph.build_plans(fe::BuildPlanPolicy_t::ALL));
  m->workspace = std::make_unique<DeviceArray>(Element::f32,
                                               static_cast<size_t>(m->graph.get_autotune_workspace_size()));
  REQUIRE(cudnnSetStream(m->library, m->stream) == CUDNN_STATUS_SUCCESS);
  int ran = 0;
  for (int64_t i = 0; i < m->graph.get_execution_plan_count(); ++i) {
    check(cudaMemsetAsync(m->out->data(), 0xFF, m->out->bytes(), m->stream));
    if (m->graph.execute_plan_at_index(m->library, m->pack, m->workspace->data(), i).is_bad()) continue;
    CHECK(m->out->download(m->stream) == expected_forward());
    ++ran;
  }
  CHECK(ran == 3);
}

TEST_CASE("cudnn: nothing is kept in the workspace") {
  const auto m = forward(kStrided);
  m->plan();
  m->reserve_workspace();
  check(cudaMemsetAsync(m->workspace->data(), 0, m->workspace->bytes(), m->stream));
  m->execute();
  const Values left = m->workspace->download(m->stream);
  CHECK(std::ranges::all_of(left, [](double v) { return std::isnan(v); }));
}

/// What is reported of a mistake in a forward convolution whose x has unique id 1, w 2 and y 3.
std::string report(const std::function<void(Model&)>& mistake) {
  return message_of([&] {
    const auto m = forward(kStrided);
    m->plan();
    m->reserve_workspace();
    mistake(*m);
    m->execute();
    m->stream.synchronize();
  });
}

TEST_CASE("cudnn: mistakes with memory are found at the call") {
  const auto found = [](const std::string& why, const std::function<void(Model&)>& mistake) {
    const std::string message = report(mistake);
    CAPTURE(why);
    CAPTURE(message);
    CHECK(message.find(why) != std::string::npos);
  };
  const auto at = [](Model& m, int64_t uid) { return static_cast<char*>(m.pack[uid]); };
  static std::array<float, 4096> host;
  CHECK(report([](Model&) {}) == "no error");
  found("Uid 2 not found", [](Model& m) { m.pack.erase(2); });
  found("at null", [](Model& m) { m.pack[2] = nullptr; });
  found("exceed its device memory",
        [](Model& m) { m.pack[2] = host.data() + 4 - reinterpret_cast<uintptr_t>(host.data()) % 16 / 4; });
  found("exceed its device memory", [&](Model& m) { m.pack[1] = at(m, 1) + 16; });
  found("misaligned", [&](Model& m) { m.pack[1] = at(m, 1) + 2; });
  found("exceed its device memory", [&](Model& m) { check(cudaFree(at(m, 1))); });
  found("workspace but received null", [](Model& m) { m.workspace.reset(); });
  found("workspace: 5120 bytes",
        [](Model& m) { m.workspace = std::make_unique<DeviceArray>(Element::bf16, 2559); });
  found("overlaps the workspace", [&](Model& m) {
    m.workspace = std::make_unique<DeviceArray>(Element::f32, 4096);
    m.pack[1] = m.workspace->data();
  });
  found("is written where", [&](Model& m) { m.pack[3] = at(m, 1); });
  found("is written where", [&](Model& m) {
    static std::unique_ptr<DeviceArray> both;
    both = std::make_unique<DeviceArray>(Element::bf16, 4096);
    m.pack[1] = both->data();
    m.pack[3] = both->data() + 512;
  });
}

/// What is reported of a mistake in the graph of a convolution; `x` and `y` are what it gets for those.
std::string report_graph(Tensor_attributes x, Tensor_attributes w,
                         std::function<void(Tensor_attributes&)> y) {
  return message_of([&] {
    Model m(Element::bf16);
    const TensorPtr tx = m.input(std::move(x), DeviceArray(Element::bf16, 4096)),
                    tw = m.input(std::move(w), DeviceArray(Element::bf16, 4096));
    const TensorPtr ty =
        m.graph.conv_fprop(tx, tw, with_geometry<fe::graph::Conv_fprop_attributes>(kStrided));
    y(*ty);
    m.output(ty, 4096);
    m.plan();
  });
}

TEST_CASE("cudnn: mistakes with shapes are found when the graph is built") {
  const Problem& p = kStrided;
  const auto found = [](const std::string& why, const std::string& message) {
    CAPTURE(why);
    CAPTURE(message);
    CHECK(message.find(why) != std::string::npos);
  };
  const auto same = [](Tensor_attributes&) {};
  CHECK(report_graph(x_of(p), filters_of(p), same) == "no error");
  found("x has 8 channels, w 9", report_graph(x_of(p), pixels({p.k, p.c + 1, p.r, p.s}), same));
  found(
      "of y is 5, expected 4", report_graph(x_of(p), filters_of(p), [&](Tensor_attributes& y) {
        y.set_dim({p.n, p.k, p.p(), p.q() + 1}).set_stride(pixels({p.n, p.k, p.p(), p.q() + 1}).get_stride());
      }));
  found("y has 8 channels, w gives 16", report_graph(x_of(p), filters_of(p), [&](Tensor_attributes& y) {
          y.set_dim({p.n, 8, p.p(), p.q()}).set_stride(pixels({p.n, 8, p.p(), p.q()}).get_stride());
        }));
  found("has overlapping strides", report_graph(pixels({p.n, p.c, p.h, p.w}, p.c - 1), filters_of(p), same));
}

TEST_CASE("cudnn: a bias that does not broadcast is found when the graph is built") {
  const std::string message = message_of([] {
    Model m(Element::bf16);
    const Problem& p = kStrided;
    TensorPtr t = convolved(m, p, whole_numbers(p.x_count(), 1), whole_numbers(p.w_count(), 2));
    t = m.graph.pointwise(t, m.input(pixels({1, p.k - 1, 1, 1}), whole_numbers(static_cast<size_t>(p.k), 3)),
                          fe::graph::Pointwise_attributes().set_mode(fe::PointwiseMode_t::ADD));
    m.output(t, p.y_count());
    m.plan();
  });
  CHECK(message != "no error");
}

TEST_CASE("cudnn: a residual may lie where the result goes, an operand of the convolution may not") {
  const Problem& p = kPointwise;
  const Values x = whole_numbers(p.x_count(), 1), filters = whole_numbers(p.w_count(), 2),
               residual = whole_numbers(p.y_count(), 3);
  Model m(Element::f32);
  const TensorPtr t = convolved(m, p, x, filters), r = m.input(y_of(p), residual);
  m.output(m.graph.pointwise(t, r, fe::graph::Pointwise_attributes().set_mode(fe::PointwiseMode_t::ADD)),
           p.y_count());
  m.plan();
  m.reserve_workspace();
  check(cudaMemcpyAsync(m.out->data(), m.pack[r->get_uid()], m.out->bytes(), cudaMemcpyDeviceToDevice,
                        m.stream));
  m.pack[r->get_uid()] = m.out->data();
  m.execute();
  Values expected = p.forward(x, filters);
  for (size_t i = 0; i < expected.size(); ++i) expected[i] += residual[i];
  CHECK(m.out->download(m.stream) == expected);
}

TEST_CASE("cudnn: the version is what the machine says it is") {
  const Machine before = machine();
  CHECK(cudnnGetVersion() == CUDNN_VERSION);
  machine().cudnn_version = 80907;
  CHECK(cudnnGetVersion() == 80907);
  machine() = before;
  machine().driver_version = 0;
  cudnnHandle_t handle = nullptr;
  CHECK(cudnnCreate(&handle) == CUDNN_STATUS_NOT_INITIALIZED);
  machine() = before;
}

}  // namespace
}  // namespace xf::standin
