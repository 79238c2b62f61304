#include "tools/xferrun/process.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "engine/io/atomic_file.h"

namespace xf::tool {

namespace {

void end_process(int signal) {
  io::remove_temporaries();
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

}  // namespace

void keep_standard_streams() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lowest free descriptor is the missing one. Input cannot be read from it, nor output written to it.
    ::open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

void handle_signals() {
  // The write that would bring them fails instead: EPIPE, and EFBIG beyond the limit of a file's size.
  for (const int signal : {SIGPIPE, SIGXFSZ}) std::signal(signal, SIG_IGN);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction now {};
    ::sigaction(signal, nullptr, &now);
    if (now.sa_handler == SIG_IGN) continue;  // nohup
    now = {};
    now.sa_handler = end_process;
    ::sigaction(signal, &now, nullptr);
  }
}

}  // namespace xf::tool
