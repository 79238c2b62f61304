#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "engine/core/error.h"
#include "engine/core/threads.h"
#include "engine/io/hdf5.h"
#include "kernels/cpu/backend.h"
#include "kernels/cuda/load.h"
#include "tools/xferrun/command.h"
#include "tools/xferrun/version.h"

namespace xf::tool {

namespace {

nlohmann::ordered_json library(const LibraryVersion& v) {
  return {{"compiled", v.compiled}, {"running", v.running}};
}

/// The GPUs and CUDA's versions, or why there are none.
void add_gpus(nlohmann::ordered_json& j) {
  try {
    const cuda::Inventory found = cuda::inventory();
    j["libraries"]["CUDA"] =
        library({cuda::version_text(found.versions.built_with), cuda::version_text(found.versions.runtime)});
    j["libraries"]["CUDA driver"] = library({"-", cuda::version_text(found.versions.driver)});
    j["libraries"]["cuDNN"] = library({cuda::cudnn_version_text(found.versions.cudnn_built_with),
                                       cuda::cudnn_version_text(found.versions.cudnn)});
    int index = 0;
    for (const cuda::Device& d : found.devices)
      j["devices"].push_back({{"device", fmt::format("cuda:{}", index++)},
                              {"name", d.name},
                              {"compute_capability", fmt::format("{}.{}", d.compute_major, d.compute_minor)},
                              {"memory_bytes", d.memory_bytes}});
  } catch (const UnavailableError& e) {
    j["cuda_unavailable"] = e.what();
  }
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
  add_gpus(j);
  return j;
}

void print_table(const nlohmann::ordered_json& j) {
  for (const auto& device : j["devices"]) {
    std::string line =
        fmt::format("{:<8} {}", device["device"].get<std::string>(), device["name"].get<std::string>());
    if (device.contains("usable_cores"))
      line += fmt::format("; {} usable cores; {}", device["usable_cores"].get<int>(),
                          fmt::join(device["instruction_sets"].get<std::vector<std::string>>(), " "));
    else
      line += fmt::format("; compute capability {}; {} MiB", device["compute_capability"].get<std::string>(),
                          device["memory_bytes"].get<uint64_t>() >> 20);
    print_line(line);
  }
  if (j.contains("cuda_unavailable")) print_line("cuda     " + j["cuda_unavailable"].get<std::string>());
  for (const auto& [name, v] : j["libraries"].items())
    print_line(fmt::format("{:<12} {} (compiled with {})", name, v["running"].get<std::string>(),
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
