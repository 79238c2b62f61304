#include "tests/standin/streams.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "tests/standin/device.h"
#include "tests/standin/turns.h"

namespace xf::standin {
namespace {

Pace others = Pace::late;

std::vector<std::unique_ptr<CUstream_st>>& streams() {
  static std::vector<std::unique_ptr<CUstream_st>> all = [] {
    std::vector<std::unique_ptr<CUstream_st>> first;
    first.push_back(std::make_unique<CUstream_st>());  // the default stream
    return first;
  }();
  return all;
}

// Runs the first piece of work of a queue; false when there is none or it has to wait.
bool run_one(CUstream_st& stream) {
  if (stream.queue.empty()) return false;
  CUstream_st::Item& first = stream.queue.front();
  if (first.waits_for && !first.waits_for->reached) return false;
  const CUstream_st::Item item = std::move(first);
  stream.queue.pop_front();
  something_happened();
  if (item.work) device_memory().open_for(item.work);
  return true;
}

bool run_one_elsewhere(const CUstream_st* not_this) {
  const auto& all = streams();
  for (size_t i = all.size(); i-- > 0;)
    if (all[i].get() != not_this && run_one(*all[i])) return true;
  return false;
}

void capture(CUstream_st& stream, GraphNode node) {
  GraphNodes& nodes = stream.capture->nodes;
  node.after = std::exchange(stream.last, {});
  nodes.push_back(std::move(node));
  stream.last = {nodes.size() - 1};
}

}  // namespace

void set_pace(Pace pace) { others = pace; }

double& device_clock() {
  static double now = 0;
  return now;
}

size_t& graphs_made() {
  static size_t count = 0;
  return count;
}

CUstream_st& stream_of(cudaStream_t handle) { return handle != nullptr ? *handle : *streams().front(); }

void enqueue(cudaStream_t handle, Work work) {
  CUstream_st& stream = stream_of(handle);
  something_happened();
  if (stream.capture)
    capture(stream, {std::move(work), nullptr, {}, nullptr});
  else
    stream.queue.push_back({std::move(work), nullptr});
}

void enqueue_long(cudaStream_t handle, LongWork work, const std::shared_ptr<void>& keeps) {
  CUstream_st& stream = stream_of(handle);
  something_happened();
  if (stream.capture) {
    capture(stream, {nullptr, std::move(work), {}, keeps});
    return;
  }
  const auto done = std::make_shared<Mark>();
  stream.queue.push_back({[work = std::move(work), done] { work(done); }, nullptr});
  stream.queue.push_back({nullptr, done});
}

void drain(CUstream_st& stream) {
  while (!stream.queue.empty()) {
    if (others == Pace::early && run_one_elsewhere(&stream)) continue;
    if (!run_one(stream)) go_on();
  }
}

void drain_all() {
  // Other ranks make and destroy theirs meanwhile.
  std::vector<CUstream_st*> mine;
  for (const auto& stream : streams())
    if (stream->device == current_device()) mine.push_back(stream.get());
  for (CUstream_st* stream : mine) drain(*stream);
}

void reach(const Mark& mark) {
  while (!mark.reached) go_on();
}

void go_on() {
  if (!run_one_elsewhere(nullptr) && !let_others_run())
    throw std::runtime_error("stand-in: something is waited for that nobody will do");
}

void launch(cudaStream_t stream, const GraphNodes& nodes) {
  std::vector<char> done(nodes.size(), 0);
  std::vector<Work> together;  // device memory is made accessible for all at once
  const auto queue = [&] {
    if (together.empty()) return;
    enqueue(stream, [all = std::exchange(together, {})] {
      for (const Work& work : all) work();
    });
  };
  for (size_t count = 0; count < nodes.size(); ++count) {
    const auto ready = [&](size_t i) {
      return done[i] == 0 && std::ranges::all_of(nodes[i].after, [&](size_t j) { return done[j] != 0; });
    };
    size_t next = nodes.size();
    while (next > 0 && !ready(next - 1)) --next;
    if (next == 0) throw std::runtime_error("stand-in: a graph has a cycle");
    done[next - 1] = 1;
    const GraphNode& node = nodes[next - 1];
    if (node.work) {
      together.push_back(node.work);
    } else {
      queue();
      enqueue_long(stream, node.long_work);
    }
  }
  queue();
}

bool release_joined(Capture& capture, const std::vector<size_t>& last) {
  for (const auto& stream : streams()) {
    if (stream->capture.get() != &capture) continue;
    stream->capture = nullptr;
    stream->last.clear();
  }
  std::vector<char> before(capture.nodes.size(), 0);
  for (const size_t i : last) before[i] = 1;
  for (size_t i = capture.nodes.size(); i-- > 0;)
    if (before[i] != 0)
      for (const size_t j : capture.nodes[i].after) before[j] = 1;
  return std::ranges::all_of(before, [](char b) { return b != 0; });
}

CUstream_st* create_stream() {
  streams().push_back(std::make_unique<CUstream_st>());
  streams().back()->device = current_device();
  return streams().back().get();
}

void destroy_stream(CUstream_st* stream) {
  drain(*stream);
  std::erase_if(streams(), [&](const auto& s) { return s.get() == stream; });
}

}  // namespace xf::standin
