// What belongs to no model: version and log.

#include <string>

#include "engine/core/log.h"
#include "tools/embed/xferrun.h"

const char* xf_version() { return XFERRUN_VERSION; }

void xf_set_log(xf_log log, void* user) {
  using namespace xf::log;
  if (log == nullptr) return set_sink({});
  set_sink([log, user](Level level, std::string_view text) {
    log(level == Level::warning ? 1 : 0, std::string(text).c_str(), user);
  });
}
