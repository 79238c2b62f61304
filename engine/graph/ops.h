#pragma once
// The attributes of every operation. An operation's operands are listed as `(inputs) → (outputs)`; an input
// with `?` may be absent (an empty Value). Activations are NHWC, f32, bf16 or f16; statistics, losses,
// gradients of parameters and parameters are f32.

#include <array>
#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/core/channel_order.h"
#include "engine/core/dtype.h"
#include "engine/core/shape.h"

namespace xf {

enum class Activation : uint8_t { none, relu };

struct Padding {
  int top = 0, bottom = 0, left = 0, right = 0;
  friend constexpr bool operator==(const Padding&, const Padding&) = default;
};

/// (x: u8 or f32 NHWC with C channels) → (y). y[c] = x[source(c)] * scale[c] + shift[c], where source
/// reverses the channels for bgr; channels from C on are zero.
struct Normalize {
  ChannelOrder order = ChannelOrder::rgb;
  std::array<float, 4> scale{1, 1, 1, 1};
  std::array<float, 4> shift{};
  int channels = 3;       ///< channels of y, ≥ C
  DType to = DType::f32;  ///< type of y
};

/// (x) → (y of type `to`).
struct Cast {
  DType to = DType::f32;
};

/// (x, w: OHWI, bias? (c), residual? like y) → (y). Cross-correlation, then bias, residual and activation in
/// that order. w is rounded to the type of x; so may the bias be. A window of 3x3 with stride 1 between
/// multiples of 16 channels may be computed by Winograd's F(4x4, 3x3), and so may its gradients.
struct Conv2d {
  int kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1;
  Padding pad;
  Activation act = Activation::none;
};
/// (dy, w) → (dx of shape `input`). The convolution's activation, bias and residual are not part of it.
struct ConvBwdData {
  Conv2d conv;
  Shape input;
};
/// (x, dy) → (dw of shape `weights`, f32). All of it may be rounded to the type of x first.
struct ConvBwdWeights {
  Conv2d conv;
  Shape weights;
};

/// Which statistics a batch normalisation uses. `batch` also moves the running ones.
enum class BnMode : uint8_t { batch, running };

/// (x, gamma? (c), beta (c), running_mean (c), running_var (c), residual? like x)
///   → (y, mean (c), inv_std (c), new_running_mean (c), new_running_var (c)).
/// y = act((x - mean) * inv_std * gamma + beta + residual), inv_std = 1/sqrt(var + eps); an absent gamma
/// is 1. In mode batch, mean and var (biased) are those of x over n, h, w, and new_running = (1 - momentum) *
/// running
/// + momentum * batch, with the batch variance unbiased n/(n-1)
/// (Ioffe & Szegedy 2015; momentum as torch counts it). In mode running they are the running ones, and the
/// last two outputs are unused. mean and inv_std are what the backward pass needs.
struct BnAct {
  float eps = 1e-5F;
  float momentum = 0.1F;
  BnMode mode = BnMode::batch;
  Activation act = Activation::none;
};
/// (dy, x, y?, gamma?, mean (c), inv_std (c), beta? (c)) → (dx, dgamma (c), dbeta (c), dresidual).
/// The gradient before the activation is dy where y > 0; y's sign stands in for the pre-activation. Without a
/// residual that sign follows from x and beta, so y may be absent, which saves reading it. dresidual is that
/// masked dy.
struct BnActBwd {
  BnAct bn;
};

enum class PoolKind : uint8_t { max, average };
/// Whether positions in the padding count in an average's divisor.
enum class CountPadding : uint8_t { no, yes };

/// (x) → (y, argmax u8 like y: kernel position row * kernel_w + column of the first maximum; unused by
/// average). Ceil-rounded pools are expressed by the padding that their last window needs (see
/// PoolRounding). Padding never wins a maximum; a NaN counts as higher than every number. With
/// CountPadding::yes the divisor is the window clipped to the padded input *as declared*: `ceil_extra`
/// bottom/right rows beyond it do not count (as torch does).
struct Pool {
  PoolKind kind = PoolKind::max;
  int kernel_h = 2, kernel_w = 2, stride_h = 2, stride_w = 2;
  Padding pad;
  CountPadding count = CountPadding::no;
  int ceil_extra_h = 0, ceil_extra_w = 0;  ///< part of pad.bottom / pad.right that ceil rounding added
};
/// (dy, argmax? for max) → (dx of shape `input`).
struct PoolBwd {
  Pool pool;
  Shape input;
};

/// (x) → (y: (n, 1, 1, c), f32): the mean over h and w, accumulated in f32.
struct GlobalAvgPool {};
/// (dy: (n, 1, 1, c), f32) → (dx of shape `input` and type `to`).
struct GlobalAvgPoolBwd {
  Shape input;
  DType to = DType::f32;  ///< type of dx
};

/// (x: n images of h*w*c numbers, w: (outputs, h, w, c) flattened alike, bias? (outputs)) → (y:
/// (n,1,1,outputs)).
struct Dense {
  Activation act = Activation::none;
};
/// (dy, w) → (dx of shape `input`).
struct DenseBwdData {
  Shape input;
};
/// (x, dy) → (dw of shape `weights`, f32).
struct DenseBwdWeights {
  Shape weights;
};

/// (x, bias (c)) → (x + bias).
struct Bias {};
/// (dy) → (sum over n, h, w: (c), f32).
struct BiasGrad {};
/// (x) → (act(x)).
struct Act {
  Activation act = Activation::relu;
};
/// (dy, y) → (dy where y > 0, else 0).
struct ActBwd {
  Activation act = Activation::relu;
};
/// (a, b, …) → (sum, added from left to right in f32).
struct Add {};
/// (a, b, …) → (channels of a, then of b, …).
struct Concat {};
/// (x) → (channels `begin` … `begin + channels`).
struct Slice {
  int64_t begin = 0, channels = 0;
};

/// (step, x) → (x * keep / (1 - rate)). keep for element i is unit_float(word i%4 of philox(step.seed,
/// stream << 32 | step.counter, i/4)) >= rate, where i counts from the first image of the step on all ranks:
/// the same bits on every backend, however the images are shared out. Its own gradient: applied to dy.
struct Dropout {
  float rate = 0.5F;
  uint32_t stream = 0;
};

/// (logits f32 (n,1,1,k)) → (probabilities f32).
struct Softmax {};
/// (logits f32 (n,1,1,k), labels i32 (n,1,1,1), image_weights f32 (n,1,1,1), class_weights? f32 (k))
///   → (loss f32 (1,1,1,1), probabilities f32 (n,1,1,k), hits f32 (1,1,1,5), losses f32 (n,1,1,1)).
/// With weight w_i = image_weights[i] * class_weights[labels[i]] and target t_i = (1 - s) onehot + s/k for
/// smoothing s: losses_i = -Σ_k t_ik log p_ik, loss = Σ w_i losses_i / Σ w_i (0 when Σ w_i is 0). hits[j]
/// sums image_weights where the label is among the j+1 likeliest (ties: the lower class number is the
/// likelier).
struct SoftmaxXent {
  float label_smoothing = 0;
};
/// (dloss f32 (1,1,1,1), probabilities, labels, image_weights, class_weights?) → (dlogits f32).
struct SoftmaxXentBwd {
  float label_smoothing = 0;
};

/// (w: OHWI, gamma? (c), beta (c), mean (c), var (c), bias? (c)) → (w', bias'): the convolution that equals
/// the convolution followed by the batch normalisation.
struct FoldBn {
  float eps = 1e-5F;
};

/// (w) → (w in the backend's own arrangement `layout`): opaque bytes, u8 (1,1,1,bytes).
struct Pack {
  uint64_t layout = 0;
  int64_t bytes = 0;
};

/// (step, sum_1, gradient_1, sum_2, gradient_2, …) → (sum_1', sum_2', …): the gradient itself in the first
/// micro-batch of a step, the running sum afterwards.
struct Accumulate {};

/// (x_1, x_2, … f32) → (y_1, y_2, … like them). Begins to take the mean over all ranks of a training
/// (engine/dist/comm.h), which goes on beside what follows. What y holds is settled by the AllReduceWait of
/// the same `bucket`, and nobody else reads it.
struct AllReduce {
  int bucket = 0;  ///< one of its own for each in a graph
};
/// (y_1, y_2, …) → (the means over all ranks).
struct AllReduceWait {
  int bucket = 0;
};

enum class OptimizerKind : uint8_t { sgd, adam, adamw, adadelta };
/// What one tensor's update needs beside the step's numbers.
struct TensorRule {
  int group = 0;    ///< which of StepParams::learning_rate
  float decay = 0;  ///< weight decay of this tensor
};
/// (step, then for each tensor: parameter, gradient?, moment1?, moment2?, average?, at last loss_scale?)
///   → (norm f32 (1,1,1,1), finite f32 (1,1,1,1): 1 or 0, then for each tensor: parameter', moment1',
///   moment2', average', at last loss_scale'). Every tensor has its five operands and four outputs: absent
///   and unused ones keep their place.
/// A tensor without gradient only joins its average.
/// One pass: gradients are divided by the loss scale; their global norm and finiteness are taken; nothing
/// changes when one is not finite; the norm is clipped to `clip_norm` where that is above 0; then
///   sgd       m = momentum m + g;  p -= lr (nesterov ? g + momentum m : m)            (moment1; none if
///   momentum 0) adam      Kingma & Ba 2015, bias-corrected, weight decay added to g               (moment1,
///   moment2) adamw     Loshchilov & Hutter 2019, decoupled decay: p -= lr decay p              (moment1,
///   moment2) adadelta  Zeiler 2012: E[g²] with rho, E[dx²]                                     (moment1,
///   moment2)
/// average = ema_decay average + (1 - ema_decay) p'. sgd and adadelta add decay * p to g.
/// loss_scale is f32 (1,1,1,2): the scale, 1 where absent, and how many updates in a row were finite with it.
/// The scale moves by LossScaling: halved after an update that was not finite, doubled after enough that
/// were.
struct Optimize {
  OptimizerKind kind = OptimizerKind::sgd;
  float momentum = 0.9F;  ///< sgd
  bool nesterov = false;
  float beta1 = 0.9F, beta2 = 0.999F, eps = 1e-8F;  ///< adam, adamw; adadelta uses rho and eps
  float rho = 0.95F;
  float clip_norm = 0;
  float ema_decay = 0;
  std::vector<TensorRule> tensors;
};
/// Dynamic loss scaling (Micikevicius et al. 2018), with the numbers of torch.amp.GradScaler: f16's gradients
/// vanish below 2^-24, so the loss is multiplied by what they just bear.
struct LossScaling {
  static constexpr float kFirst = 65536, kGrowth = 2, kBackoff = 0.5F;
  static constexpr int kInterval = 2000;  ///< finite updates until the scale grows
};
/// (loss_scale f32 (1,1,1,2)) → (the scale times `share`, f32 (1,1,1,1)): what a gradient begins with.
struct LossSeed {
  float share = 1;
};
/// How many moments a tensor has under this optimizer (0 … 2).
int moments(const Optimize& o);

/// What changes from step to step, in one fixed slot that kernels read: operand `step`, u8,
/// sizeof(StepParams).
struct StepParams {
  static constexpr int kGroups = 4;
  std::array<float, kGroups> learning_rate{};
  int32_t update = 1;       ///< 1 for the first update: the bias correction's exponent
  int32_t micro_batch = 0;  ///< 0 for the first of an accumulated step
  uint32_t counter = 0;     ///< differs for every micro-batch of a run
  uint64_t seed = 0;
  int64_t first_image = 0;  ///< of this rank's images among those of the step
};
static_assert(sizeof(StepParams) == 48);

#define XF_OP(Name, text) Name,
using OpAttributes = std::variant<
#include "engine/graph/ops.def"
    std::monostate>;
#undef XF_OP

/// The printed name of an operation; "source" for a graph's inputs, parameters and states.
std::string_view op_name(const OpAttributes& op);

}  // namespace xf
