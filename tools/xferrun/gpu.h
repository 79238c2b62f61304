#pragma once
// --estimate: which GPU a time is estimated for.

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "engine/plan/roofline.h"

namespace xf::tool {

/// Throws UsageError unless `word` is a GPU that find_gpu() knows or the name of a .json file.
void check_gpu_word(const std::string& word);

/// The GPU that `word` names. Throws UsageError as above, MissingInputError where the file is not there, and
/// DataError naming the field where it is wrong.
Gpu gpu_of(const std::string& word);

/// The fields of such a file.
nlohmann::ordered_json to_json(const Gpu& gpu);

/// --estimate, with `purpose` as the first line of its help.
void add_estimate_option(CLI::App& command, std::string& word, const std::string& purpose);

}  // namespace xf::tool
