#pragma once
// Layers by name: what the network files are written with. A Net is a place in the tree of names; parameters
// get torchvision's dotted names below it.

#include <string>
#include <string_view>
#include <vector>

#include "engine/graph/graph.h"

namespace xf {

/// Height and width of a kernel; one number means both.
struct Extent {
  int h = 1, w = 1;
  constexpr Extent(int both) : h(both), w(both) {}
  constexpr Extent(int height, int width) : h(height), w(width) {}
};

/// half: k/2 on every side, so that stride 1 keeps the size. valid: none.
enum class Pad : uint8_t { half, valid };

/// A convolution followed by batch normalisation and ReLU.
struct Unit {
  std::string name;
  int channels;
  Extent kernel;
  int stride = 1;
  Pad pad = Pad::half;
};

/// What becomes of the positions behind a pool's last whole window: left out, or given a window of their own,
/// unless that would begin in the padding behind the map (torch's ceil_mode).
enum class PoolRounding : uint8_t { floor, ceil };

enum class HasGamma : uint8_t { no, yes };
enum class HasBias : uint8_t { no, yes };
enum class Mode : uint8_t { train, infer };

/// What holds for every layer of a network.
struct NetOptions {
  Mode mode = Mode::infer;
  float bn_eps = 1e-5F;
  float bn_momentum = 0.1F;
  HasGamma bn_gamma = HasGamma::yes;
  HasBias conv_bias = HasBias::no;
  CountPadding average_counts_padding = CountPadding::no;
  PoolRounding pool_rounding = PoolRounding::floor;
  std::vector<std::string> freeze;  ///< globs of parameter names that are not trained
};

class Net {
 public:
  Net(Graph& graph, const NetOptions& options) : graph_(&graph), options_(&options) {}
  /// The same network one level down.
  [[nodiscard]] Net in(std::string_view scope) const;
  [[nodiscard]] Graph& graph() const { return *graph_; }
  [[nodiscard]] Mode mode() const { return options_->mode; }

  [[nodiscard]] Value conv(Value x, std::string_view name, int channels, Extent kernel, int stride = 1,
                           Pad pad = Pad::half) const;
  /// A batch normalisation whose both parameters are frozen uses the running statistics.
  [[nodiscard]] Value bn(Value x, std::string_view name, Activation act, Value residual = {}) const;
  /// conv → bn → relu; parameters NAME.conv.*, NAME.bn.*.
  [[nodiscard]] Value unit(Value x, const Unit& u) const;
  [[nodiscard]] Value chain(Value x, const std::vector<Unit>& units) const;
  [[nodiscard]] Value relu(Value x) const;
  [[nodiscard]] Value max_pool(Value x, Extent kernel, int stride, Pad pad) const;
  [[nodiscard]] Value avg_pool(Value x, Extent kernel, int stride, Pad pad) const;
  [[nodiscard]] Value concat(const std::vector<Value>& parts) const;
  [[nodiscard]] Value global_avg_pool(Value x) const;
  /// Outside training there is none.
  [[nodiscard]] Value dropout(Value x, float rate) const;
  [[nodiscard]] Value dense(Value x, std::string_view name, int outputs) const;

 private:
  [[nodiscard]] Value pool(Value x, PoolKind kind, Extent kernel, int stride, Pad pad,
                           CountPadding count) const;
  [[nodiscard]] std::string path(std::string_view name) const;
  [[nodiscard]] Value param(const std::string& name, Shape shape, Init init) const;
  [[nodiscard]] bool frozen(const std::string& name) const;
  Graph* graph_;
  const NetOptions* options_;
  std::string prefix_;
};

/// What every network gives: the vector before the classifier (n,1,1,features), and the class scores
/// (n,1,1,classes); no scores for zero classes.
struct ModelOutputs {
  Value features, logits;
};

}  // namespace xf
