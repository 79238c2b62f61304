#include "engine/train/gather.h"

#include <cstring>
#include <span>

namespace xf {

namespace {

class Packer {
 public:
  template <class T>
  void put(const T& value) {
    const std::span<const std::byte> bytes = bytes_of(value);
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }
  void put(const std::vector<float>& values) {
    put(values.size());
    const auto bytes = std::as_bytes(std::span(values));
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }
  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

class Unpacker {
 public:
  explicit Unpacker(std::span<const std::byte> bytes) : rest_(bytes) {}
  [[nodiscard]] bool done() const { return rest_.empty(); }
  template <class T>
  void take(T& value) {
    take(&value, sizeof value);
  }
  void take(std::vector<float>& values) {
    size_t count = 0;
    take(count);
    values.resize(count);
    take(values.data(), count * sizeof(float));
  }

 private:
  void take(void* to, size_t bytes) {
    if (bytes > 0) std::memcpy(to, rest_.data(), bytes);
    rest_ = rest_.subspan(bytes);
  }
  std::span<const std::byte> rest_;
};

/// Calls `each` with all that a prediction holds.
template <class P, class Each>
void fields(P& p, const Each& each) {
  each(p.sample);
  each(p.label);
  each(p.loss);
  each(p.probabilities);
  each(p.features);
  each(p.logits);
}

}  // namespace

std::vector<Prediction> gather(std::vector<Prediction> mine, Comm& comm) {
  if (comm.size() == 1) return mine;
  Packer packer;
  for (const Prediction& p : mine) fields(p, [&](const auto& field) { packer.put(field); });
  std::vector<Prediction> all;
  for (const std::vector<std::byte>& bytes : comm.all_gather(packer.bytes()))
    for (Unpacker unpacker(bytes); !unpacker.done();)
      fields(all.emplace_back(), [&](auto& field) { unpacker.take(field); });
  return all;
}

}  // namespace xf
