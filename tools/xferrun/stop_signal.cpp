#include "tools/xferrun/stop_signal.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "engine/core/error.h"
#include "engine/io/atomic_file.h"

namespace xf::tool {

namespace {

constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};
std::atomic<bool> stop_requested = false;
std::array<int, 2> wake_pipe = {-1, -1};
std::array<struct sigaction, kSignals.size()> handlers_before;
std::atomic<const char*> message_at_once = nullptr;
std::atomic<int> code_at_once = 0;

void end_at_once(const char* message) {
  io::remove_temporaries();
  (void)!::write(STDERR_FILENO, message, std::strlen(message));
  ::_exit(code_at_once);
}

void request_stop(int signal) {
  const int error = errno;
  if (const char* message = message_at_once) end_at_once(message);
  if (stop_requested.exchange(true)) {
    io::remove_temporaries();
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  }
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
    now.sa_flags = SA_RESTART;
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

StopSignal::AtOnce::AtOnce(int exit_code, const char* message) {
  code_at_once = exit_code;
  message_at_once = message;
  if (stop_requested) end_at_once(message);
}

StopSignal::AtOnce::~AtOnce() { message_at_once = nullptr; }

}  // namespace xf::tool
