#include "tools/xferrun/json_config.h"

#include <nlohmann/json.hpp>

#include "engine/core/error.h"

namespace xf::tool {

std::string JsonConfig::to_config(const CLI::App* app, bool /*default_also*/, bool /*write_description*/,
                                  std::string /*prefix*/) const {
  nlohmann::json all = nlohmann::json::object();
  for (const CLI::Option* option : app->get_options({}))
    if (option->count() > 0 && !option->get_lnames().empty())
      all[option->get_lnames()[0]] = option->results();
  return all.dump(2);
}

namespace {
std::string as_text(const nlohmann::json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}
}  // namespace

std::vector<CLI::ConfigItem> JsonConfig::from_config(std::istream& input) const {
  nlohmann::json all;
  try {
    input >> all;
  } catch (const nlohmann::json::exception& e) {
    throw DataError("--config", std::string("is not JSON: ") + e.what());
  }
  if (!all.is_object()) throw DataError("--config", "must hold one JSON object of options");
  std::vector<CLI::ConfigItem> items;
  for (const auto& [key, value] : all.items()) {
    CLI::ConfigItem item;
    item.name = key;
    if (value.is_array())
      for (const auto& one : value) item.inputs.push_back(as_text(one));
    else
      item.inputs.push_back(as_text(value));
    items.push_back(std::move(item));
  }
  return items;
}

}  // namespace xf::tool
