#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "engine/core/threads.h"
#include "engine/io/hdf5.h"
#include "kernels/cpu/backend.h"
#include "tools/xferrun/command.h"
#include "tools/xferrun/version.h"

namespace xf::tool {

namespace {

nlohmann::ordered_json library(const LibraryVersion& v) {
  return {{"compiled", v.compiled}, {"running", v.running}};
}

nlohmann::ordered_json survey() {
  const cpu::Processor p = cpu::processor();
  nlohmann::ordered_json j;
  j["version"] = version_number();
  j["devices"] = nlohmann::ordered_json::array();
  j["devices"].push_back({{"device", "cpu"},
                          {"name", p.name},
                          {"usable_cores", usable_cores()},
                          {"instruction_sets", p.instruction_sets}});
  j["libraries"] = {{"oneDNN", library(cpu::library_version())}, {"HDF5", library(hdf5::library_version())}};
  return j;
}

void print_table(const nlohmann::ordered_json& j) {
  for (const auto& device : j["devices"])
    print_line(fmt::format("{:<8} {}; {} usable cores; {}", device["device"].get<std::string>(),
                           device["name"].get<std::string>(), device["usable_cores"].get<int>(),
                           fmt::join(device["instruction_sets"].get<std::vector<std::string>>(), " ")));
  for (const auto& [name, v] : j["libraries"].items())
    print_line(fmt::format("{:<8} {} (compiled with {})", name, v["running"].get<std::string>(),
                           v["compiled"].get<std::string>()));
}

}  // namespace

void add_devices(CLI::App& app) {
  CLI::App& command =
      add_command(app, "devices", "what can compute here, and the libraries' versions", "xferrun devices");
  const auto json = std::make_shared<bool>(false);
  command.add_flag("--json", *json, "one JSON document");
  command.callback([json] {
    const nlohmann::ordered_json j = survey();
    if (*json)
      print_line(j.dump());
    else
      print_table(j);
  });
}

}  // namespace xf::tool
