#pragma once
// The tensors of InceptionV3 from the paper's table, independent of models/: names, kernels and widths in
// creation order.

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "weights/layers.h"

namespace xf::test {

struct Unit {
  std::string name;
  int64_t rows, columns, in, out;
};

/// The 94 convolutions. Widths are divided by `narrow` to keep files small.
inline std::vector<Unit> inception_v3_units(int64_t narrow) {
  std::vector<Unit> units;
  int64_t width = 3 * narrow;  // of the map that a block starts from
  const auto add = [&](const std::string& name, int64_t rows, int64_t columns, int64_t in, int64_t out) {
    units.push_back(
        {name, rows, columns, std::max<int64_t>(1, in / narrow), std::max<int64_t>(1, out / narrow)});
    return out;
  };
  struct Step {
    const char* name;
    int64_t rows, columns, out;
  };
  const auto chain = [&](const std::string& block, std::initializer_list<Step> steps) {
    int64_t from = width;
    for (const Step& s : steps) from = add(block + s.name, s.rows, s.columns, from, s.out);
    return from;
  };
  width = chain("", {{"Conv2d_1a_3x3", 3, 3, 32},
                     {"Conv2d_2a_3x3", 3, 3, 32},
                     {"Conv2d_2b_3x3", 3, 3, 64},
                     {"Conv2d_3b_1x1", 1, 1, 80},
                     {"Conv2d_4a_3x3", 3, 3, 192}});
  for (const auto& [name, pool] :
       {std::pair("Mixed_5b.", 32), std::pair("Mixed_5c.", 64), std::pair("Mixed_5d.", 64)}) {
    int64_t sum = chain(name, {{"branch1x1", 1, 1, 64}});
    sum += chain(name, {{"branch5x5_1", 1, 1, 48}, {"branch5x5_2", 5, 5, 64}});
    sum += chain(name,
                 {{"branch3x3dbl_1", 1, 1, 64}, {"branch3x3dbl_2", 3, 3, 96}, {"branch3x3dbl_3", 3, 3, 96}});
    width = sum + chain(name, {{"branch_pool", 1, 1, pool}});
  }
  {
    const char* name = "Mixed_6a.";
    int64_t sum = width + chain(name, {{"branch3x3", 3, 3, 384}});
    width = sum +
            chain(name,
                  {{"branch3x3dbl_1", 1, 1, 64}, {"branch3x3dbl_2", 3, 3, 96}, {"branch3x3dbl_3", 3, 3, 96}});
  }
  for (const auto& [name, c] : {std::pair("Mixed_6b.", 128), std::pair("Mixed_6c.", 160),
                                std::pair("Mixed_6d.", 160), std::pair("Mixed_6e.", 192)}) {
    chain(name, {{"branch1x1", 1, 1, 192}});
    chain(name, {{"branch7x7_1", 1, 1, c}, {"branch7x7_2", 1, 7, c}, {"branch7x7_3", 7, 1, 192}});
    chain(name, {{"branch7x7dbl_1", 1, 1, c},
                 {"branch7x7dbl_2", 7, 1, c},
                 {"branch7x7dbl_3", 1, 7, c},
                 {"branch7x7dbl_4", 7, 1, c},
                 {"branch7x7dbl_5", 1, 7, 192}});
    chain(name, {{"branch_pool", 1, 1, 192}});
    width = 768;
  }
  {
    const char* name = "Mixed_7a.";
    chain(name, {{"branch3x3_1", 1, 1, 192}, {"branch3x3_2", 3, 3, 320}});
    chain(name, {{"branch7x7x3_1", 1, 1, 192},
                 {"branch7x7x3_2", 1, 7, 192},
                 {"branch7x7x3_3", 7, 1, 192},
                 {"branch7x7x3_4", 3, 3, 192}});
    width = 1280;
  }
  for (const char* block : {"Mixed_7b.", "Mixed_7c."}) {
    const std::string name = block;
    chain(name, {{"branch1x1", 1, 1, 320}});
    const int64_t a = chain(name, {{"branch3x3_1", 1, 1, 384}});
    add(name + "branch3x3_2a", 1, 3, a, 384);
    add(name + "branch3x3_2b", 3, 1, a, 384);
    const int64_t b = chain(name, {{"branch3x3dbl_1", 1, 1, 448}, {"branch3x3dbl_2", 3, 3, 384}});
    add(name + "branch3x3dbl_3a", 1, 3, b, 384);
    add(name + "branch3x3dbl_3b", 3, 1, b, 384);
    chain(name, {{"branch_pool", 1, 1, 192}});
    width = 2048;
  }
  return units;
}

enum class Gamma { absent, present };

/// Parameters and states as a model lists them; with a classifier where classes > 0.
inline std::vector<weights::NamedShape> inception_v3_tensors(int64_t narrow, int64_t classes,
                                                             Gamma gamma = Gamma::absent) {
  std::vector<weights::NamedShape> list;
  for (const Unit& u : inception_v3_units(narrow)) {
    list.push_back({u.name + ".conv.weight", {u.out, u.rows, u.columns, u.in}});
    if (gamma == Gamma::present) list.push_back({u.name + ".bn.weight", vector_shape(u.out)});
    for (const char* part : {"bias", "running_mean", "running_var"}) {
      list.push_back({fmt::format("{}.bn.{}", u.name, part), vector_shape(u.out)});
    }
  }
  if (classes > 0) {
    list.push_back({"fc.weight", {classes, 1, 1, 2048 / narrow}});
    list.push_back({"fc.bias", vector_shape(classes)});
  }
  return list;
}

}  // namespace xf::test
