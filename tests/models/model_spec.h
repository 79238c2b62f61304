#pragma once
// A network of the registry as the engine takes it.

#include <string_view>

#include "engine/train/network.h"
#include "models/registry.h"

namespace xf::test {

inline NetworkSpec spec_of(std::string_view model, const Dialect& dialect, int classes) {
  NetworkSpec spec;
  spec.build = [build = find_model(model).build, dialect, classes](const Net& n, Value x) {
    return build(n, x, dialect, classes);
  };
  spec.net = net_options(dialect);
  spec.height = dialect.height;
  spec.width = dialect.width;
  spec.channels = dialect.channels;
  return spec;
}

}  // namespace xf::test
