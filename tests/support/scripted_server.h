#pragma once
// An HTTP server on this machine that answers as a test says, well or badly.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace xf::test {

class ScriptedServer {
 public:
  struct Reply {
    int status = 200;
    std::string body;
    std::optional<uint64_t> claimed;  ///< Content-Length, where it is not the body's
    std::string headers;              ///< more of them, each ended by "\r\n"
  };
  /// `from`: where the request's Range begins; nothing without one.
  using Script = std::function<Reply(std::optional<uint64_t> from)>;

  explicit ScriptedServer(Script script);
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;
  ~ScriptedServer();
  /// "http://127.0.0.1:PORT/file".
  [[nodiscard]] std::string url() const;
  /// Where each request so far began to read; nothing for one without a Range.
  [[nodiscard]] const std::vector<std::optional<uint64_t>>& requests() const { return requests_; }

 private:
  void serve();
  Script script_;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::vector<std::optional<uint64_t>> requests_;
  std::thread thread_;
};

/// The rest of `whole` from `from` on, as a server that can continue files answers.
ScriptedServer::Reply continued(const std::string& whole, std::optional<uint64_t> from);

}  // namespace xf::test
