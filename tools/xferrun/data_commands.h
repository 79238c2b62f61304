#pragma once
// The commands below `xferrun data`.

#include <CLI/CLI.hpp>

namespace xf::tool {

void add_data_inspect(CLI::App& data);
void add_data_scan(CLI::App& data);
void add_data_split(CLI::App& data);
void add_data_fetch(CLI::App& data);

}  // namespace xf::tool
