#pragma once
// The commands below `xferrun weights`.

#include <CLI/CLI.hpp>

namespace xf::tool {

void add_weights_inspect(CLI::App& weights);
void add_weights_verify(CLI::App& weights);
void add_weights_convert(CLI::App& weights);
void add_weights_fetch(CLI::App& weights);

}  // namespace xf::tool
