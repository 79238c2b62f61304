// Graphs built with cudnn-frontend, as the backend builds them, on the stand-in for cuDNN: numbers, choices
// between engines, and the mistakes that must be found. The only file here that includes the frontend, which
// takes long.

#include <cudnn_frontend.h>
#include <doctest/doctest.h>

#include <array>
#include <functional>
#include <memory>
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
  const Values expected = rounded(Element::bf16, kStrided.forward(whole_numbers(kStrided.x_count(), 1),
                                                                  whole_numbers(kStrided.w_count(), 2)));
  for (int replay = 0; replay < 2; ++replay) {
    check(cudaMemsetAsync(m->out->data(), 0, m->out->bytes(), m->stream));
    check(cudaGraphLaunch(executable, m->stream));
    CHECK(m->out->download(m->stream) == expected);
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
  CHECK(m->out->download(m->stream) ==
        rounded(Element::bf16, kStrided.forward(whole_numbers(kStrided.x_count(), 1),
                                                whole_numbers(kStrided.w_count(), 2))));
}

}  // namespace
}  // namespace xf::standin
