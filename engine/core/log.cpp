#include "engine/core/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <mutex>
#include <utility>

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

void write_to_stderr(Level level, std::string_view text) {
  logger().log(level == Level::info ? spdlog::level::info : spdlog::level::warn, "{}", text);
}

struct Destination {
  std::mutex mutex;
  Sink sink = write_to_stderr;
};
Destination& destination() {
  static Destination instance;
  return instance;
}

}  // namespace

void set_sink(Sink sink) {
  Destination& to = destination();
  const std::lock_guard lock(to.mutex);
  to.sink = sink ? std::move(sink) : write_to_stderr;
}

void write(Level level, std::string_view text) {
  Destination& to = destination();
  const std::lock_guard lock(to.mutex);
  to.sink(level, text);
}

}  // namespace xf::log
