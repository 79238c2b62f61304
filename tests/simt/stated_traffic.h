#pragma once
// The real kernels touch what their head comments state, in whole sectors: source-level figures
// (kernels/simt/traffic.h). The tests named *_traffic_test.cpp are tables of families; a new family is a row.

#include <cstdint>
#include <cstring>
#include <functional>
#include <list>
#include <map>
#include <string>
#include <vector>

#include "engine/core/dtype.h"
#include "tests/simt/guarded.h"

namespace xf::test {

/// What a row of the tables works on: its tensors, and small arrays that it asks for. All of it zero.
class Memory {
 public:
  void add(const std::string& name, size_t bytes) { tensors_.try_emplace(name, zeros(bytes)); }
  void* operator()(const std::string& name) { return tensors_.at(name).data(); }
  float* tensor(const std::string& name) { return static_cast<float*>((*this)(name)); }
  float* floats(int64_t count) {
    return static_cast<float*>(bytes(static_cast<size_t>(count) * sizeof(float)));
  }
  void* bytes(size_t count) { return small_.emplace_back(zeros(count)).data(); }
  template <class T>
  const T* holding(const T& value) {
    return static_cast<const T*>(std::memcpy(bytes(sizeof value), &value, sizeof value));
  }

 private:
  static Guarded<uint8_t> zeros(size_t bytes);
  std::map<std::string, Guarded<uint8_t>> tensors_;
  std::list<Guarded<uint8_t>> small_;
};

/// The least share of full sectors in what requests touch.
constexpr double kFull = 0.95;

/// A tensor, and how often the launches together read and write it by their head comment.
struct Tensor {
  std::string name;
  size_t bytes;
  int reads, writes;
  /// In a read, how many threads ask for an element, and meet it in a cache all but once: those of a window,
  /// say.
  double asked = 1;
  double full = kFull;  ///< less where a family cannot do better, as its row explains
};

/// A family at a shape of the networks. `other_bytes`: what its head comment says is moved besides, each way.
struct Family {
  std::string name;
  std::vector<Tensor> tensors;
  size_t other_bytes;
  std::function<void(Memory&)> run;
};

/// "pool, bf16".
std::string named(const char* family, DType dtype);

/// Bytes of `count` elements.
constexpr size_t bytes_of(int64_t count, DType dtype) { return static_cast<size_t>(count) * size_of(dtype); }

/// Runs every family and checks that, in all its launches together:
///   - each pass touches a tensor once, a tenth more at most, in full sectors and without asking for more;
///   - all that is touched is a tenth more than stated at most;
///   - no two threads of a request for shared memory wait for the same bank.
void check_traffic(const std::vector<Family>& families);

}  // namespace xf::test
