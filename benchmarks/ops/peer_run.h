#pragma once
// An operation by cuDNN beside ours, on the same numbers.

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/ops/difference.h"
#include "benchmarks/ops/op_run.h"
#include "benchmarks/peers/cudnn/peers.h"

namespace xf::bench {

/// cuDNN's layer for the operation, or for the one that the gradient `node` belongs to; none where it has no
/// call for it. Throws UnavailableError where its call cannot express it.
std::unique_ptr<Peer> peer_of(Peers& peers, const Node& node);

class PeerRun {
 public:
  /// Where `node` is a gradient, `ours`, its run, reads from now on what a forward pass left here, and must
  /// not run after this is gone. Throws UnavailableError where cuDNN refuses.
  PeerRun(Backend& backend, std::unique_ptr<Peer> peer, const Node& node, OpRun& ours);
  PeerRun(const PeerRun&) = delete;
  PeerRun& operator=(const PeerRun&) = delete;

  /// Queues one run of cuDNN's. Throws UnavailableError where cuDNN refuses.
  void once();
  /// Runs both; says where the results differ, empty where nowhere.
  std::string difference();
  [[nodiscard]] std::string impl() const { return peer_->impl(); }

 private:
  struct Pair {
    std::string name;
    Ref ours, theirs;
    Allowed allowed;
  };
  void begin_operation(const Node& node);
  void begin_gradient(const Node& node, const Value& operation);
  void give_results(const Node& node, std::vector<Ref>& operands);
  Ref reserve(const Spec& spec);
  Ref converted(const Ref& from, DType type);
  std::vector<float> read(const Ref& from);
  void write(const Ref& to, std::span<const float> numbers);

  Backend& backend_;
  OpRun& ours_;
  std::unique_ptr<Peer> peer_;
  std::vector<Buffer> memory_;
  Graph graph_;                     // the operation that a gradient belongs to …
  std::unique_ptr<OpRun> forward_;  // … and its run by ours
  std::vector<Ref> operands_, gradient_;
  std::vector<std::pair<Ref, Ref>> moved_;  // running statistics: the old ones, and where cuDNN moves them
  std::vector<Pair> pairs_;
};

}  // namespace xf::bench
