#include "engine/run/param_store.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>

#include "engine/core/aligned.h"
#include "engine/core/error.h"
#include "engine/core/rng.h"
#include "engine/core/threads.h"

namespace xf {

namespace {

std::vector<Value> stored(const Graph& graph) {
  std::vector<Value> all = graph.sources(Source::param);
  const std::vector<Value> states = graph.sources(Source::state);
  all.insert(all.end(), states.begin(), states.end());
  return all;
}

/// FNV-1a, 64 bits: a stream of random numbers for each name.
uint64_t stream_of(const std::string& name) {
  uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return hash;
}

/// Four standard normal numbers (Box–Muller) or uniform ones in [-1, 1) of one counter.
void draw(InitKind kind, uint64_t seed, uint64_t stream, uint64_t block, float scale, float out[4]) {
  const Philox4 r = philox(seed, stream, block);
  for (int i = 0; i < 4; i += 2) {
    const float u = 1.0F - unit_float(r.v[i]), v = unit_float(r.v[i + 1]);
    if (kind == InitKind::he_normal) {
      const float radius = std::sqrt(-2.0F * std::log(u)), angle = 2.0F * std::numbers::pi_v<float> * v;
      out[i] = scale * radius * std::cos(angle);
      out[i + 1] = scale * radius * std::sin(angle);
    } else {
      out[i] = scale * (1.0F - 2.0F * u);
      out[i + 1] = scale * (2.0F * v - 1.0F);
    }
  }
}

void fill(std::span<float> out, const Init& init, uint64_t seed, uint64_t stream) {
  if (init.kind == InitKind::constant) {
    std::fill(out.begin(), out.end(), init.value);
    return;
  }
  // He et al. 2015: variance 2 / fan_in. Glorot & Bengio 2010: uniform, variance 2 / (fan_in + fan_out).
  const float scale = init.kind == InitKind::he_normal
                          ? std::sqrt(2.0F / static_cast<float>(init.fan_in))
                          : std::sqrt(6.0F / static_cast<float>(init.fan_in + init.fan_out));
  constexpr int64_t kChunk = 1 << 14;
  const auto count = static_cast<int64_t>(out.size());
  parallel_for((count + kChunk - 1) / kChunk, [&](int64_t chunk) {
    for (int64_t i = chunk * kChunk; i < std::min(count, (chunk + 1) * kChunk); i += 4) {
      float four[4];
      draw(init.kind, seed, stream, static_cast<uint64_t>(i) / 4, scale, four);
      for (int64_t j = i; j < std::min(count, i + 4); ++j) out[static_cast<size_t>(j)] = four[j - i];
    }
  });
}

}  // namespace

size_t ParamStore::bytes_for(const Graph& graph) {
  size_t bytes = 0;
  for (const Value& v : stored(graph)) bytes += aligned(v.spec().bytes());
  return bytes;
}

void ParamStore::declare(const Graph& graph) {
  std::vector<Value> fresh;
  size_t bytes = 0;
  for (const Value& v : stored(graph)) {
    const std::string& name = graph.node(v).name;
    if (const auto it = entries_.find(name); it != entries_.end()) {
      if (it->second.shape != v.shape()) throw InternalError(name, "is declared twice with different shapes");
      continue;
    }
    fresh.push_back(v);
    bytes += aligned(v.spec().bytes());
  }
  if (fresh.empty()) return;
  buffers_.push_back(backend_.reserve(bytes));
  std::byte* at = buffers_.back().data.get();
  for (const Value& v : fresh) {
    entries_[graph.node(v).name] = {v.shape(), at, false};
    names_.push_back(graph.node(v).name);
    at += aligned(v.spec().bytes());
  }
  bytes_ += bytes;
}

void ParamStore::initialise(const Graph& graph, uint64_t seed) {
  for (const Value& v : stored(graph)) {
    const Node& n = graph.node(v);
    if (assigned(n.name)) continue;
    Tensor t(v.shape());
    fill(t.as<float>(), n.init, seed, stream_of(n.name));
    set(n.name, t);
  }
}

const ParamStore::Entry& ParamStore::entry(const std::string& name) const {
  const auto it = entries_.find(name);
  if (it == entries_.end()) throw InternalError(name, "is not in the parameter store");
  return it->second;
}

std::byte* ParamStore::address(const std::string& name) const { return entry(name).data; }
const Shape& ParamStore::shape(const std::string& name) const { return entry(name).shape; }

Tensor ParamStore::get(const std::string& name) const {
  const Entry& e = entry(name);
  Tensor t(e.shape);
  backend_.download(backend_.stream(Lane::compute), t.data(), e.data, t.bytes());
  return t;
}

void ParamStore::set(const std::string& name, const Tensor& value) {
  const Entry& e = entry(name);
  if (value.shape() != e.shape || value.dtype() != DType::f32)
    throw ShapeError(name, "does not take a tensor of this shape", {e.shape, value.shape()});
  Stream& stream = backend_.stream(Lane::compute);
  backend_.upload(stream, e.data, value.data(), value.bytes());
  stream.synchronize();
  entries_[name].assigned = true;
}

}  // namespace xf
