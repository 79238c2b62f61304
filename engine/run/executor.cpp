#include "engine/run/executor.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "engine/core/error.h"
#include "engine/run/arena_watch.h"

namespace xf {

void ActivationMemory::require(size_t bytes) { required_ = std::max(required_, bytes); }

std::byte* ActivationMemory::data() {
  if (buffer_.bytes < required_) {
    buffer_ = {};  // first give back, then take: both at once might not fit
    buffer_ = backend_.reserve(required_);
  }
  return buffer_.data.get();
}

Executor::Executor(Plan plan, Backend& backend, ParamStore& store, ActivationMemory& memory,
                   const std::string& prefix)
    : plan_(std::move(plan)), backend_(backend), store_(store), memory_(memory), prefix_(prefix) {
  memory_.require(plan_.arena_bytes);
  memory_.data();  // the larger part first: what does not fit is refused before much is taken
  if (plan_.fixed_bytes > 0) fixed_ = backend_.reserve(plan_.fixed_bytes);
  fill_constants();
}

void Executor::fill_constants() {
  const Graph& g = plan_.graph();
  Stream& stream = backend_.stream(Lane::compute);
  for (const auto& [value, slot] : plan_.slots) {
    const Node& n = g.node(value);
    if (n.source != Source::constant) continue;
    Tensor t(n.outputs[0].shape);
    const auto all = t.as<float>();
    std::fill(all.begin(), all.end(), n.init.value);
    backend_.upload(stream, fixed_.data.get() + slot.offset, t.data(), t.bytes());
    stream.synchronize();
  }
}

Ref Executor::ref(Value v, std::byte* arena) const {
  if (!v) return {};
  const Slot& slot = plan_.slot(v);
  Ref r{nullptr, v.spec(), slot.row_stride};
  switch (slot.region) {
    case Region::store: {
      const std::string& name = plan_.graph().node(slot.source).name;
      r.data = store_.address(!prefix_.empty() && store_.has(prefix_ + name) ? prefix_ + name : name);
      break;
    }
    case Region::arena: r.data = arena + slot.offset; break;
    case Region::fixed: r.data = fixed_.data.get() + slot.offset; break;
    case Region::none: throw InternalError(plan_.graph().node(v).name, "has no memory");
  }
  return r;
}

void Executor::bind() {
  std::byte* arena = memory_.data();
  if (arena == bound_to_ && !steps_.empty()) return;
  bound_to_ = arena;
  steps_.clear();
  readbacks_.clear();
  recordings_ = {};
  runs_ = {};
  for (const PlanStep& step : plan_.steps) {
    Bound b{&step, {}, {}};
    for (const Value& v : step.operands) b.operands.push_back(ref(v, arena));
    if (step.scratch.region == Region::arena)
      b.scratch = {arena + step.scratch.offset, step.kernel->workspace()};
    steps_.push_back(std::move(b));
  }
}

void Executor::write(Value v, const std::byte* host) {
  std::unique_ptr<Feed>& feed = feeds_[v];
  if (!feed) feed = backend_.feed(ref(v, nullptr).data, v.spec().bytes());
  feed->write(host);
}

void Executor::write(const std::string& input, const Tensor& value) {
  const Value v = plan_.graph().source(input);
  if (!v || plan_.slots.count(v) == 0) return;  // a plan that does not read this input does not hold it
  if (value.shape() != v.shape() || value.dtype() != v.spec().dtype)
    throw ShapeError(input, "the plan was compiled for another input", {v.shape(), value.shape()});
  write(v, value.data());
}

void Executor::run_kernels(Phase phase) {
  Stream& stream = backend_.stream(Lane::compute);
#ifndef NDEBUG
  const ArenaWatch watch(plan_, backend_);
  if (phase != Phase::update) watch.begin(bound_to_);
#endif
  for (Bound& b : steps_) {
    if (b.step->phase != phase) continue;
    if (observer_ != nullptr) observer_->before(*b.step, plan_.graph().node(b.step->node));
    b.step->kernel->run(stream, b.operands, b.scratch);
    if (observer_ != nullptr) observer_->after(*b.step, plan_.graph().node(b.step->node));
#ifndef NDEBUG
    watch.after(static_cast<int>(&b - steps_.data()), bound_to_);
#endif
  }
}

void Executor::run(Phase phase) {
  bind();
  if (const Value step = plan_.graph().source("step"); step && plan_.slots.count(step) != 0)
    write(step, reinterpret_cast<const std::byte*>(&params_));
#ifdef NDEBUG
  const bool recordable = observer_ == nullptr;
#else
  const bool recordable = false;  // the watch looks at the memory between kernels
#endif
  const auto slot = static_cast<size_t>(phase);
  Stream& stream = backend_.stream(Lane::compute);
  // The first run is not recorded: libraries load their code and choose their algorithms in it.
  if (recordable && ++runs_[slot] == 2)
    recordings_[slot] = backend_.record(stream, [&] { run_kernels(phase); });
  if (recordable && recordings_[slot])
    recordings_[slot]->replay(stream);
  else
    run_kernels(phase);
}

void Executor::refresh() { run(Phase::once); }
void Executor::run_batch() { run(Phase::batch); }
void Executor::run_update() { run(Phase::update); }

Readback& Executor::readback(size_t index) {
  bind();
  std::unique_ptr<Readback>& readback = readbacks_[index];
  if (!readback) {
    const Ref r = ref(plan_.program.keep.at(index), bound_to_);
    if (r.row_stride != r.spec.shape.c)
      throw InternalError("result", "only whole tensors are sent: fetch() the slices of others");
    readback = backend_.readback(r.data, r.spec.bytes());
  }
  return *readback;
}

void Executor::send(size_t index) { readback(index).queue(); }

Tensor Executor::receive(size_t index) {
  const Spec& spec = plan_.program.keep.at(index).spec();
  Tensor t(spec.shape, spec.dtype);
  std::memcpy(t.data(), readback(index).receive(), t.bytes());
  return t;
}

Tensor Executor::fetch(size_t index) {
  const Value v = plan_.program.keep.at(index);
  bind();
  const Ref r = ref(v, bound_to_);
  Tensor t(r.spec.shape, r.spec.dtype);
  Stream& stream = backend_.stream(Lane::compute);
  if (r.row_stride == r.spec.shape.c) {
    backend_.download(stream, t.data(), r.data, t.bytes());
    return t;
  }
  const size_t row = static_cast<size_t>(r.spec.shape.c) * size_of(r.spec.dtype);
  const size_t pitch = static_cast<size_t>(r.row_stride) * size_of(r.spec.dtype);
  for (int64_t i = 0; i < r.spec.shape.rows(); ++i) {
    const auto at = static_cast<size_t>(i);
    backend_.download(stream, t.data() + at * row, r.data + at * pitch, row);
  }
  return t;
}

}  // namespace xf
