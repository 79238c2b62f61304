#include "engine/core/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

namespace xf::log {

namespace {
spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    auto made =
        std::make_shared<spdlog::logger>("xferrun", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    made->set_pattern("%^%l%$: %v");
    return made;
  }();
  return *instance;
}
}  // namespace

void warnings_only(const std::string& prefix) {
  logger().set_level(spdlog::level::warn);
  logger().set_pattern("%^%l%$: " + prefix + "%v");
}

void write_info(std::string_view text) { logger().info("{}", text); }
void write_warning(std::string_view text) { logger().warn("{}", text); }

}  // namespace xf::log
