#include "tools/xferrun/line_source.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <system_error>
#include <utility>

#include "engine/core/error.h"

namespace xf::tool {

std::optional<std::string> LineSource::next() {
  while (!stop_.requested()) {
    const size_t end = text_.find('\n');
    if (end == std::string::npos) {
      if (text_.size() > PATH_MAX)
        throw DataError("standard input", "holds a line that is too long for a path",
                        "Write one path a line.");
      if (!ended_ && read_more()) continue;
      if (!ended_ || text_.empty()) return std::nullopt;
      return std::exchange(text_, {});
    }
    std::string line = text_.substr(0, end);
    text_.erase(0, end + 1);
    if (!line.empty()) return line;
  }
  return std::nullopt;
}

bool LineSource::read_more() {
  std::array<pollfd, 2> waited = {{{STDIN_FILENO, POLLIN, 0}, {stop_.descriptor(), POLLIN, 0}}};
  while (::poll(waited.data(), waited.size(), -1) < 0) {
    if (errno != EINTR)
      throw MissingInputError("standard input", "cannot be read: " + std::generic_category().message(errno));
  }
  if (stop_.requested()) return false;
  std::array<char, 4096> bytes{};
  const ssize_t count = ::read(STDIN_FILENO, bytes.data(), bytes.size());
  if (count < 0 && errno != EINTR)
    throw MissingInputError("standard input", "cannot be read: " + std::generic_category().message(errno));
  if (count == 0) ended_ = true;
  if (count > 0) text_.append(bytes.data(), static_cast<size_t>(count));
  return !ended_;
}

}  // namespace xf::tool
