#include "tools/xferrun/stop_signal.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>

#include "engine/core/error.h"

namespace xf::tool {

namespace {

constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP};
std::atomic<bool> stop_requested = false;
std::array<int, 2> wake_pipe = {-1, -1};
std::array<struct sigaction, kSignals.size()> handlers_before;

void request_stop(int) {
  const int error = errno;
  stop_requested.store(true);
  const char byte = 0;
  (void)!::write(wake_pipe[1], &byte, 1);
  errno = error;
}

}  // namespace

StopSignal::StopSignal() {
  stop_requested.store(false);
  if (::pipe2(wake_pipe.data(), O_CLOEXEC | O_NONBLOCK) != 0)
    throw UnavailableError("pipe", "the system gives no more descriptors");
  for (size_t i = 0; i < kSignals.size(); ++i) {
    ::sigaction(kSignals[i], nullptr, &handlers_before[i]);
    if (handlers_before[i].sa_handler == SIG_IGN) continue;
    struct sigaction now {};
    now.sa_handler = request_stop;
    now.sa_flags = SA_RESTART | static_cast<int>(SA_RESETHAND);
    ::sigaction(kSignals[i], &now, nullptr);
  }
}

StopSignal::~StopSignal() {
  for (size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &handlers_before[i], nullptr);
  for (int& end : wake_pipe) {
    ::close(end);
    end = -1;
  }
}

bool StopSignal::requested() const { return stop_requested.load(); }
int StopSignal::descriptor() const { return wake_pipe[0]; }

}  // namespace xf::tool
