#include "tests/standin/cudnn/execute.h"

#include <map>
#include <memory>
#include <stdexcept>
#include <string>

#include "tests/standin/cudnn/finalize.h"
#include "tests/standin/device.h"
#include "tests/standin/placed.h"
#include "tests/standin/streams.h"

namespace xf::standin::cudnn {
namespace {

struct Run {
  Graph graph;
  Engine engine;
  std::map<int64_t, char*> memory;  // by unique id; of the tensors that are not virtual
  char* workspace = nullptr;
  size_t workspace_bytes = 0;
  Values scalars;  // passed by value: read at the call

  [[nodiscard]] bool on_device(const Tensor& t) const { return !t.is_virtual && !t.by_value; }
};

void bind(Run& run, const Descriptor& pack) {
  const auto ids = pack.values<int64_t>(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS);
  const auto pointers = pack.values<char*>(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS);
  run.workspace = pack.value<char*>(CUDNN_ATTR_VARIANT_PACK_WORKSPACE);
  for (size_t i = 0; i < ids.size(); ++i)
    require(run.memory.emplace(ids[i], pointers[i]).second,
            "variant pack: id " + std::to_string(ids[i]) + " comes twice",
            CUDNN_STATUS_BAD_PARAM_DUPLICATED_ENTRIES);
  for (const auto& [uid, t] : run.graph.tensors) {
    if (t.is_virtual) continue;
    require(run.memory.contains(uid), t.text() + " is not in the variant pack");
    require(run.memory[uid] != nullptr, t.text() + " is at null", CUDNN_STATUS_BAD_PARAM_NULL_POINTER);
  }
}

void read_scalars(Run& run) {
  for (const auto& [uid, t] : run.graph.tensors) {
    if (!t.by_value) continue;
    require(!device_memory().is_device_address(run.memory[uid]) && t.count() == 1,
            t.text() + " is passed by value, and its pointer is the device's");
    run.scalars[uid] = {load(t.element(), run.memory[uid], 0)};
  }
}

void check_memory(const Run& run) {
  require(run.workspace_bytes == 0 || device_memory().holds(run.workspace, run.workspace_bytes),
          "workspace: " + std::to_string(run.workspace_bytes) + " bytes of device memory are needed",
          CUDNN_STATUS_BAD_PARAM_SIZE_INSUFFICIENT);
  require(reinterpret_cast<uintptr_t>(run.workspace) % 16 == 0, "workspace: misaligned",
          CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER);
  for (const auto& [uid, t] : run.graph.tensors) {
    if (!run.on_device(t)) continue;
    const char* p = run.memory.at(uid);
    require(reinterpret_cast<uintptr_t>(p) % static_cast<uintptr_t>(t.alignment) == 0,
            t.text() + ": misaligned", CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER);
    require(device_memory().holds(p, t.bytes()),
            t.text() + ": " + std::to_string(t.bytes()) + " bytes exceed its device memory, or are elsewhere",
            CUDNN_STATUS_BAD_PARAM_OUT_OF_BOUND);
    require(p + t.bytes() <= run.workspace || run.workspace + run.workspace_bytes <= p,
            t.text() + " overlaps the workspace");
  }
}

Placed placed(const Run& run, const Tensor& t) {
  return {run.memory.at(t.uid), t.offsets(), size_of(t.element())};
}

// What is written shares memory with nothing else, but for an operand of an elementwise operation that lies
// in exactly the same way.
void check_sharing(const Run& run) {
  std::set<int64_t> convolved;
  for (const Operation& o : run.graph.operations)
    if (const auto* c = std::get_if<Convolution>(&o))
      for (const Tensor* t : c->inputs()) convolved.insert(t->uid);
  for (const int64_t w : run.graph.written) {
    const Tensor& to = run.graph.tensors.at(w);
    if (!run.on_device(to)) continue;
    for (const auto& [uid, t] : run.graph.tensors) {
      if (uid == w || !run.on_device(t)) continue;
      const bool in_place = run.memory.at(w) == run.memory.at(uid) && to.dims == t.dims &&
                            to.strides == t.strides && to.data_type == t.data_type &&
                            !convolved.contains(uid) && !run.graph.written.contains(uid);
      require(in_place || !share_memory(placed(run, to), placed(run, t)),
              to.text() + " is written where " + t.text() + " lies");
    }
  }
}

// The device's part; the memory is checked again, since a captured run may come long after the call.
void run_on_device(const Run& run) {
  try {
    check_memory(run);
  } catch (const Failure& f) {
    throw std::runtime_error("stand-in: when a plan ran, " + f.message);
  }
  if (run.workspace_bytes > 0) std::memset(run.workspace, 0xFF, run.workspace_bytes);
  Values values = run.scalars;
  for (const auto& [uid, t] : run.graph.tensors)
    if (run.on_device(t) && !run.graph.written.contains(uid)) values[uid] = read(t, run.memory.at(uid));
  cudnn::run(run.graph, values, next_arithmetic(run.engine));
  for (const int64_t uid : run.graph.written)
    if (const Tensor& t = run.graph.tensors.at(uid); run.on_device(t))
      write(t, run.memory.at(uid), values.at(uid));
}

}  // namespace

void execute(cudaStream_t stream, const Descriptor& plan, const Descriptor& pack) {
  require(plan.type() == CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR &&
              pack.type() == CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR,
          "execute: not a plan and a variant pack", CUDNN_STATUS_BAD_PARAM_DESCRIPTOR_TYPE);
  require(plan.finalized() && pack.finalized(), "execute: the plan or the variant pack is not finalized",
          CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED);
  const DescriptorPtr chosen = plan.descriptor(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG);
  Graph graph(*graph_of(*chosen));
  const Choice choice = choice_of(*chosen);
  Engine used = engine(choice.engine, graph);
  const auto run = std::make_shared<Run>(Run{std::move(graph), std::move(used), {}, nullptr, 0, {}});
  run->workspace_bytes = static_cast<size_t>(plan.value<int64_t>(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE));
  bind(*run, pack);
  read_scalars(*run);
  check_memory(*run);
  check_sharing(*run);
  enqueue(stream, [run, choice] {
    run_on_device(*run);
    device_clock() += milliseconds(choice);
  });
}

}  // namespace xf::standin::cudnn
