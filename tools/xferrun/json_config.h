#pragma once
// Option files in JSON.

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace xf::tool {

/// {"epochs": 5, "freeze": ["Conv2d_*"], "deterministic": true}: keys are long option names.
class JsonConfig : public CLI::Config {
 public:
  std::string to_config(const CLI::App* app, bool default_also, bool write_description,
                        std::string prefix) const override;
  std::vector<CLI::ConfigItem> from_config(std::istream& input) const override;
};

}  // namespace xf::tool
