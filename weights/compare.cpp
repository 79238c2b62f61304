#include "weights/compare.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <set>

#include "engine/core/error.h"

namespace xf::weights {
namespace {

Reading read(const FileInfo& file) {
  return try_load(file.path, file.network.value_or(""), tensors_of(file), Top::loaded);
}

/// The problems of one file, and the names of their tensors: whatever they are in the other file, that is
/// said.
std::set<std::string> take_problems(const FileInfo& file, const Reading& reading, Comparison& out) {
  std::set<std::string> names;
  for (const Problem& p : reading.problems) {
    out.differences.push_back({p.tensor, fmt::format("{}: {}", file.path.string(), p.text), {}});
    names.insert(p.tensor);
  }
  return names;
}

void compare_values(const std::string& name, const Tensor& a, const Tensor& b, Comparison& out) {
  if (a.shape() != b.shape()) {
    out.differences.push_back(
        {name, fmt::format("{}: {} against {}", name, to_string(a.shape()), to_string(b.shape())), {}});
    return;
  }
  if (std::memcmp(a.data(), b.data(), a.bytes()) == 0) {
    ++out.same;
    return;
  }
  const auto x = a.as<float>(), y = b.as<float>();
  double largest = 0;
  int64_t different = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double d = std::abs(double{x[i]} - double{y[i]});
    different += d > 0 ? 1 : 0;
    largest = std::max(largest, d);
  }
  out.differences.push_back(
      {name, fmt::format("{}: {} of {} values differ, by up to {:g}", name, different, x.size(), largest),
       largest});
}

}  // namespace

Comparison compare(const FileInfo& a, const FileInfo& b) {
  if (a.network && b.network && *a.network != *b.network) {
    throw DataError(
        b.path.string(),
        fmt::format("holds the weights of {}, {} those of {}", *b.network, a.path.string(), *a.network),
        "Compare files of one network.");
  }
  const Reading of_a = read(a), of_b = read(b);
  Comparison out;
  std::set<std::string> known = take_problems(a, of_a, out);
  known.merge(take_problems(b, of_b, out));
  for (const auto& [name, tensor] : of_a.loaded.tensors) {
    const auto at = of_b.loaded.tensors.find(name);
    if (at != of_b.loaded.tensors.end()) {
      compare_values(name, tensor, at->second, out);
    } else if (known.count(name) == 0) {
      out.differences.push_back({name, fmt::format("{}: missing in {}", name, b.path.string()), {}});
    }
  }
  for (const auto& [name, tensor] : of_b.loaded.tensors) {
    if (of_a.loaded.tensors.count(name) == 0 && known.count(name) == 0) {
      out.differences.push_back({name, fmt::format("{}: extra in {}", name, b.path.string()), {}});
    }
  }
  return out;
}

}  // namespace xf::weights
