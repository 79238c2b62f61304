#include "kernels/cpu/dnnl_layout.h"

#include <mutex>
#include <vector>

#include "engine/core/error.h"

namespace xf::cpu::dnn {

namespace {

struct Registry {
  std::mutex mutex;
  std::vector<Packing> packings;
};

Registry& registry() {
  static Registry r;
  return r;
}

}  // namespace

Layout register_packing(const Packing& p) {
  Registry& r = registry();
  const std::lock_guard lock(r.mutex);
  const auto bytes = static_cast<int64_t>(p.to.get_size());
  for (size_t i = 0; i < r.packings.size(); ++i) {
    const Packing& q = r.packings[i];
    if (q.weights == p.weights && q.window == p.window && q.from == p.from && q.to == p.to)
      return {i + 1, bytes};
  }
  r.packings.push_back(p);
  return {r.packings.size(), bytes};
}

Packing packing(uint64_t id) {
  Registry& r = registry();
  const std::lock_guard lock(r.mutex);
  if (id == 0 || id > r.packings.size())
    throw InternalError("pack", "no kernel asked for weight arrangement " + std::to_string(id));
  return r.packings[id - 1];
}

}  // namespace xf::cpu::dnn
