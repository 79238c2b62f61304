#pragma once
// What the process owes the shell that started it: its streams and its signals.

namespace xf::tool {

/// Where the shell closed stdin, stdout or stderr, puts a descriptor there that cannot be used: otherwise the
/// next file that is opened would take the place, and log lines would go into it.
void keep_standard_streams();

/// SIGINT, SIGTERM and SIGHUP remove what is half written and then end the process as they always do. A
/// closed pipe and a file at its limit of size become a write error with a message instead of a silent death.
void handle_signals();

}  // namespace xf::tool
