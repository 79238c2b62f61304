#include "kernels/cuda/cudnn_plan.h"

#include <cudnn_frontend.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/core/error.h"

namespace xf::cuda {
namespace {

namespace fe = cudnn_frontend;
using Tensor = std::shared_ptr<fe::graph::Tensor_attributes>;

enum Uid : int64_t { kX = 1, kW, kY, kResidual, kBias };

fe::DataType_t data_type(DType type) {
  switch (type) {
    case DType::bf16: return fe::DataType_t::BFLOAT16;
    case DType::f16: return fe::DataType_t::HALF;
    default: return fe::DataType_t::FLOAT;
  }
}

// cuDNN counts images, channels, rows, columns whatever the order in memory, and outputs, inputs, rows,
// columns of weights: the same permutation of ours.
std::vector<int64_t> extents(const Shape& s) { return {s.n, s.c, s.h, s.w}; }
std::vector<int64_t> strides(const Shape& s) { return {s.h * s.w * s.c, 1, s.w * s.c, s.c}; }

template <class Attributes>
Attributes window(const Conv2d& c) {
  Attributes a;
  a.set_pre_padding({c.pad.top, c.pad.left})
      .set_post_padding({c.pad.bottom, c.pad.right})
      .set_stride({c.stride_h, c.stride_w})
      .set_dilation({1, 1});
  return a;
}

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace

class ConvPlans::Graph {
 public:
  Graph(const ConvProblem& problem, const PlanTarget& target, size_t workspace_limit)
      : problem_(problem), handle_(target.handle) {
    graph_.set_io_data_type(data_type(problem.type))
        .set_intermediate_data_type(fe::DataType_t::FLOAT)
        .set_compute_data_type(fe::DataType_t::FLOAT);
    if (handle_ == nullptr) {
      const auto device = std::make_shared<fe::DeviceProperties>();
      need(device->deserialize({target.description.begin(), target.description.end()}));
      graph_.set_device_properties(device);
    }
    record();
    need(graph_.validate());
    need(graph_.build_operation_graph(handle_));
    need(graph_.create_execution_plans({fe::HeurMode_t::A, fe::HeurMode_t::FALLBACK}));
    graph_.deselect_numeric_notes(refused_notes());
    graph_.deselect_behavior_notes({fe::BehaviorNote_t::RUNTIME_COMPILATION});
    graph_.deselect_workspace_greater_than(static_cast<int64_t>(workspace_limit));
    list();
    if (engines_.empty()) throw none("no engine of cuDNN computes it as asked within the memory there is");
  }

  void run(int i, const ConvOperands& o, void* workspace) {
    std::unordered_map<int64_t, void*> pack{{kX, o.x}, {kW, o.w}, {kY, o.y}};
    if (problem_.residual) pack[kResidual] = o.residual;
    if (problem_.bias) pack[kBias] = o.bias;
    auto status = graph_.execute_plan_at_index(handle_, pack, workspace, at(i).index);
    if (status.is_bad()) {
      throw InternalError(to_string(problem_),
                          fmt::format("cuDNN, {}: {}", at(i).name, one_line(status.get_message())));
    }
  }

  bool build(int i) {
    auto status = graph_.build_plan_at_index(at(i).index);
    if (status.is_bad()) refusal_ = one_line(status.get_message());
    return status.is_good();
  }

  [[nodiscard]] size_t workspace(int i) {
    int64_t bytes = 0;
    need(graph_.get_workspace_size_plan_at_index(at(i).index, bytes));
    return static_cast<size_t>(bytes);
  }

  struct Engine {
    int64_t index;  // among all that the heuristics named
    std::string name;
  };
  [[nodiscard]] const std::vector<Engine>& engines() const { return engines_; }
  [[nodiscard]] const Engine& at(int i) const { return engines_.at(static_cast<size_t>(i)); }
  [[nodiscard]] const std::string& refusal() const { return refusal_; }

 private:
  [[nodiscard]] UnavailableError none(const std::string& reason) const {
    return {to_string(problem_), reason, "use another --precision or --batch"};
  }
  void need(fe::error_t status) const {
    if (status.is_bad()) throw none(fmt::format("cuDNN: {}", one_line(status.get_message())));
  }

  Tensor tensor(const char* name, Uid uid, const Shape& shape) {
    return graph_.tensor(fe::graph::Tensor_attributes()
                             .set_name(name)
                             .set_uid(uid)
                             .set_data_type(data_type(problem_.type))
                             .set_dim(extents(shape))
                             .set_stride(strides(shape)));
  }
  void output(const Tensor& t, Uid uid, const Shape& shape) {
    t->set_output(true)
        .set_uid(uid)
        .set_data_type(data_type(problem_.type))
        .set_dim(extents(shape))
        .set_stride(strides(shape));
  }

  void record() {
    const Conv2d& c = problem_.window;
    const Shape &x = problem_.x, &y = problem_.y, w = problem_.weights();
    switch (problem_.kind) {
      case ConvKind::forward:
        output(epilogue(graph_.conv_fprop(tensor("x", kX, x), tensor("w", kW, w),
                                          window<fe::graph::Conv_fprop_attributes>(c))),
               kY, y);
        break;
      case ConvKind::data_gradient:
        output(graph_.conv_dgrad(tensor("dy", kY, y), tensor("w", kW, w),
                                 window<fe::graph::Conv_dgrad_attributes>(c)),
               kX, x);
        break;
      case ConvKind::weight_gradient:
        output(graph_.conv_wgrad(tensor("dy", kY, y), tensor("x", kX, x),
                                 window<fe::graph::Conv_wgrad_attributes>(c)),
               kW, w);
        break;
    }
  }

  // cuDNN's compiled engines know this order alone: residual, bias, activation.
  Tensor epilogue(Tensor t) {
    using fe::graph::Pointwise_attributes;
    const Shape& y = problem_.y;
    const auto add = [&](const Tensor& other) {
      t = graph_.pointwise(t, other, Pointwise_attributes().set_mode(fe::PointwiseMode_t::ADD));
    };
    if (problem_.residual) add(tensor("residual", kResidual, y));
    if (problem_.bias) add(tensor("bias", kBias, vector_shape(y.c)));
    if (problem_.window.act == Activation::relu)
      t = graph_.pointwise(t, Pointwise_attributes().set_mode(fe::PointwiseMode_t::RELU_FWD));
    return t;
  }

  [[nodiscard]] std::vector<fe::NumericalNote_t> refused_notes() const {
    using Note = fe::NumericalNote_t;
    std::vector<Note> notes{Note::NONDETERMINISTIC, Note::REDUCED_PRECISION_REDUCTION};
    if (problem_.type == DType::f32 && problem_.math == Math::f32)
      notes.insert(notes.end(), {Note::TENSOR_CORE, Note::DOWN_CONVERT_INPUTS});
    return notes;
  }

  // Those that were not deselected, each once: the fallback repeats some of mode A's.
  void list() {
    for (int64_t i = 0; i < graph_.get_execution_plan_count(); ++i) {
      Engine engine{i, {}};
      need(graph_.get_plan_name_at_index(i, engine.name));
      const bool known = std::any_of(engines_.begin(), engines_.end(),
                                     [&](const Engine& e) { return e.name == engine.name; });
      if (!known && graph_.admits(i)) engines_.push_back(std::move(engine));
    }
  }

  // The frontend keeps to itself which engines were deselected.
  struct Selected : fe::graph::Graph {
    [[nodiscard]] bool admits(int64_t i) { return plans.check_support_at_index(i).is_good(); }
  };

  ConvProblem problem_;
  cudnnContext* handle_;
  Selected graph_;
  std::vector<Engine> engines_;
  std::string refusal_;
};

ConvPlans::ConvPlans(const ConvProblem& problem, const PlanTarget& target, size_t workspace_limit)
    : graph_(std::make_unique<Graph>(problem, target, workspace_limit)) {}
ConvPlans::~ConvPlans() = default;

int ConvPlans::count() const { return static_cast<int>(graph_->engines().size()); }
const std::string& ConvPlans::engine(int i) const { return graph_->at(i).name; }
bool ConvPlans::build(int i) { return graph_->build(i); }
const std::string& ConvPlans::refusal() const { return graph_->refusal(); }
size_t ConvPlans::workspace(int i) const { return graph_->workspace(i); }
void ConvPlans::run(int i, const ConvOperands& operands, void* workspace) const {
  graph_->run(i, operands, workspace);
}

}  // namespace xf::cuda
