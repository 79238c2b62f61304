#include "tests/support/scripted_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <utility>

namespace xf::test {
namespace {

std::string request_from(int connection) {
  std::string request;
  char bytes[4096];
  while (request.find("\r\n\r\n") == std::string::npos) {
    const ssize_t n = ::recv(connection, bytes, sizeof bytes, 0);
    if (n <= 0) break;
    request.append(bytes, static_cast<size_t>(n));
  }
  return request;
}

void send_all(int connection, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::send(connection, text.data(), text.size(), MSG_NOSIGNAL);
    if (n <= 0) return;  // the client has seen enough
    text.remove_prefix(static_cast<size_t>(n));
  }
}

}  // namespace

ScriptedServer::ScriptedServer(Script script)
    : script_(std::move(script)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* a = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_, a, length) != 0 || ::listen(listener_, 4) != 0 ||
      ::getsockname(listener_, a, &length) != 0)
    throw std::runtime_error("no port to listen on");
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

ScriptedServer::~ScriptedServer() {
  ::shutdown(listener_, SHUT_RDWR);
  thread_.join();
  ::close(listener_);
}

std::string ScriptedServer::url() const { return fmt::format("http://127.0.0.1:{}/file", port_); }

void ScriptedServer::serve() {
  for (;;) {
    const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) return;
    const std::string request = request_from(connection);
    std::optional<uint64_t> from;
    if (const size_t at = request.find("Range: bytes="); at != std::string::npos)
      from = std::stoull(request.substr(at + 13));
    requests_.push_back(from);
    const Reply reply = script_(from);
    send_all(connection,
             fmt::format("HTTP/1.1 {} Status\r\nContent-Length: {}\r\nConnection: close\r\n{}\r\n",
                         reply.status, reply.claimed.value_or(reply.body.size()), reply.headers));
    send_all(connection, reply.body);
    ::close(connection);
  }
}

ScriptedServer::Reply continued(const std::string& whole, std::optional<uint64_t> from) {
  if (!from) return {200, whole, {}, {}};
  if (*from >= whole.size()) return {416, "", {}, {}};
  return {206,
          whole.substr(*from),
          {},
          fmt::format("Content-Range: bytes {}-{}/{}\r\n", *from, whole.size() - 1, whole.size())};
}

}  // namespace xf::test
