#include "kernels/cpu/dnnl_layout.h"

#include <mutex>
#include <vector>

#include "engine/core/error.h"

namespace xf::cpu::dnn {

namespace {

struct Registry {
  std::mutex mutex;
  std::vector<Arrangement> arrangements;
};

Registry& registry() {
  static Registry r;
  return r;
}

int64_t bytes_of(const Packing& p) { return static_cast<int64_t>(p.to.get_size()); }
int64_t bytes_of(const WinogradWeights& w) {
  return w.panels().count() * static_cast<int64_t>(sizeof(float));
}

bool equal(const Packing& a, const Packing& b) {
  return a.weights == b.weights && a.window == b.window && a.from == b.from && a.to == b.to;
}
bool equal(const WinogradWeights& a, const WinogradWeights& b) {
  return a.weights == b.weights && a.window == b.window;
}

bool equal(const Arrangement& a, const Arrangement& b) {
  return std::visit(
      [](const auto& p, const auto& q) {
        if constexpr (std::is_same_v<decltype(p), decltype(q)>)
          return equal(p, q);
        else
          return false;
      },
      a, b);
}

}  // namespace

Layout register_packing(const Arrangement& a) {
  Registry& r = registry();
  const std::lock_guard lock(r.mutex);
  const int64_t bytes = std::visit([](const auto& one) { return bytes_of(one); }, a);
  for (size_t i = 0; i < r.arrangements.size(); ++i)
    if (equal(r.arrangements[i], a)) return {i + 1, bytes};
  r.arrangements.push_back(a);
  return {r.arrangements.size(), bytes};
}

Arrangement packing(uint64_t id) {
  Registry& r = registry();
  const std::lock_guard lock(r.mutex);
  if (id == 0 || id > r.arrangements.size())
    throw InternalError("pack", "no kernel asked for weight arrangement " + std::to_string(id));
  return r.arrangements[id - 1];
}

}  // namespace xf::cpu::dnn
