#pragma once
// Lazy streams: work waits in its queue until somebody asks for its result. Work that relies on an order
// nobody asked for finds stale data, or data that is newer than it expects.

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

namespace xf::standin {

using Work = std::function<void()>;
/// Work that other work ends: it is given the mark to be reached then.
struct Mark;
using LongWork = std::function<void(const std::shared_ptr<Mark>&)>;

/// How the other streams move while one is waited for: as late as possible (only where the awaited one
/// depends on them), or as early (all they can, before it).
enum class Pace : uint8_t { late, early };
void set_pace(Pace pace);

/// Milliseconds since the start. They pass while work runs that says how long it takes.
double& device_clock();

/// A point in a stream's work that an event marks.
struct Mark {
  bool reached = false;
  double at = 0;  ///< the clock then
};

/// A captured piece of work and what must run before it, by position in the graph.
struct GraphNode {
  Work work;
  LongWork long_work;  ///< instead of it
  std::vector<size_t> after;
  std::shared_ptr<void> keeps;  ///< alive while a graph has this node
};
using GraphNodes = std::vector<GraphNode>;

/// A capture in progress, shared by the streams that joined it.
struct Capture {
  GraphNodes nodes;
  cudaStream_t origin = nullptr;
  bool invalid = false;  ///< something was asked for that cannot be captured
};

}  // namespace xf::standin

// CUDA's opaque types are ours to define.
struct CUevent_st {
  bool timed = true;  ///< notes the time
  std::shared_ptr<xf::standin::Mark> mark;
  std::shared_ptr<xf::standin::Capture> capture;  ///< recorded while this was captured …
  std::vector<size_t> nodes;                      ///< … after these of its nodes
};
struct CUstream_st {
  struct Item {
    xf::standin::Work work;
    std::shared_ptr<xf::standin::Mark> waits_for;
  };
  std::deque<Item> queue;
  std::shared_ptr<xf::standin::Capture> capture;
  std::vector<size_t> last;  ///< in a capture: the nodes that the next one follows
  int device = 0;
};
struct CUgraph_st {
  xf::standin::GraphNodes nodes;
};
struct CUgraphExec_st {
  xf::standin::GraphNodes nodes;
};

namespace xf::standin {

/// The stream meant by a handle; null is the default stream.
CUstream_st& stream_of(cudaStream_t handle);
/// Queues work, or adds it to the capture in progress.
void enqueue(cudaStream_t stream, Work work);
/// What follows in the stream waits for the mark. A capture's graph shares `keeps`.
void enqueue_long(cudaStream_t stream, LongWork work, const std::shared_ptr<void>& keeps = {});
/// Runs a stream's work to its end, and of the others what that waits for. Where another rank has to do
/// something first (turns.h), it gets its turn. Throws std::runtime_error when the stream waits for what
/// nobody will do.
void drain(CUstream_st& stream);
/// All streams of the current device.
void drain_all();
/// Runs until the mark is reached.
void reach(const Mark& mark);
/// Runs something that some stream has to do next, or gives other ranks their turn. Throws as drain().
void go_on();
/// Queues captured work in an order that the graph allows: what was captured last first.
void launch(cudaStream_t stream, const GraphNodes& nodes);

/// How many graphs were made ready to be replayed so far.
size_t& graphs_made();

/// Ends a capture on every stream that joined it. Returns whether all their work comes before `last`, the
/// end of the stream that began it.
bool release_joined(Capture& capture, const std::vector<size_t>& last);

CUstream_st* create_stream();
void destroy_stream(CUstream_st* stream);

}  // namespace xf::standin
