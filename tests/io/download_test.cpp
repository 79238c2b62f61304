#include "engine/io/download.h"

#include <doctest/doctest.h>

#include <fstream>
#include <thread>

#include "engine/core/error.h"
#include "tests/support/scripted_server.h"
#include "tests/support/temporary_folder.h"

namespace xf::test {
namespace {

namespace fs = std::filesystem;
using From = std::optional<uint64_t>;
using Reply = ScriptedServer::Reply;

std::string file_of(size_t bytes) {
  std::string text(bytes, '\0');
  for (size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>((i * 131 + i / 251) & 0xff);
  return text;
}

void write(const fs::path& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

/// A download of `whole` whose check compares every byte.
io::Download request(const ScriptedServer& server, const fs::path& target, const std::string& whole) {
  return {server.url(),
          target,
          whole.size(),
          [whole](const fs::path& path) {
            if (content(path) != whole) throw DataError(path.string(), "is not the right file");
          },
          {}};
}

const std::string kWhole = file_of(300000);

}  // namespace

TEST_CASE("downloads: a file arrives whole, its progress is told, and it is not fetched twice") {
  const TemporaryFolder folder;
  const fs::path target = folder.path() / "cache" / "w.h5";
  const ScriptedServer server([](From from) { return continued(kWhole, from); });
  io::Download d = request(server, target, kWhole);
  uint64_t last = 0;
  d.progress = [&](uint64_t done) {
    CHECK(done > last);
    last = done;
  };
  io::download(d);
  CHECK(content(target) == kWhole);
  CHECK(last == kWhole.size());
  CHECK_FALSE(fs::exists(target.string() + ".part"));
  io::download(d);
  CHECK(server.requests().size() == 1);
}

TEST_CASE("downloads: a connection that breaks is taken up where it broke") {
  const TemporaryFolder folder;
  const fs::path target = folder.path() / "w.h5";
  const ScriptedServer server([](From from) {
    Reply r = continued(kWhole, from);
    r.claimed = r.body.size();
    r.body.resize(std::min<size_t>(r.body.size(), 120000));
    return r;
  });
  io::download(request(server, target, kWhole));
  CHECK(content(target) == kWhole);
  CHECK(server.requests() == std::vector<From>{{}, 120000, 240000});
}

TEST_CASE("downloads: an earlier attempt is continued, also by a server that starts from the beginning") {
  for (const bool continues : {true, false}) {
    const TemporaryFolder folder;
    const fs::path target = folder.path() / "w.h5";
    write(target.string() + ".part", kWhole.substr(0, 1000));
    const ScriptedServer server([&](From from) { return continued(kWhole, continues ? from : From{}); });
    io::download(request(server, target, kWhole));
    CHECK(content(target) == kWhole);
    CHECK(server.requests() == std::vector<From>{1000});
  }
}

TEST_CASE("downloads: what another file left is replaced") {
  for (const size_t length : {size_t{5000}, kWhole.size(), kWhole.size() + 7}) {
    const TemporaryFolder folder;
    const fs::path target = folder.path() / "w.h5";
    write(target.string() + ".part", std::string(length, 'x'));
    const ScriptedServer server([](From from) { return continued(kWhole, from); });
    io::download(request(server, target, kWhole));
    CHECK(content(target) == kWhole);
  }
  const TemporaryFolder folder;
  write(folder.path() / "w.h5", std::string(kWhole.size(), 'x'));  // damaged after it was fetched
  const ScriptedServer server([](From from) { return continued(kWhole, from); });
  io::download(request(server, folder.path() / "w.h5", kWhole));
  CHECK(content(folder.path() / "w.h5") == kWhole);
}

TEST_CASE("downloads: a wrong file, a wrong length and an error leave nothing behind that looks right") {
  const TemporaryFolder folder;
  const fs::path target = folder.path() / "w.h5";
  const auto fails = [&](const ScriptedServer::Script& script) {
    const ScriptedServer server(script);
    std::string said;
    try {
      io::download(request(server, target, kWhole));
    } catch (const DataError& e) {
      said = std::string("data: ") + e.what();
    } catch (const UnavailableError& e) {
      said = std::string("unavailable: ") + e.what();
    }
    CHECK_FALSE(fs::exists(target));
    const size_t at = said.find(server.url());
    if (at != std::string::npos) said.replace(at, server.url().size(), "URL");
    return said;
  };
  CHECK(fails([](From) {
          return Reply{200, std::string(kWhole.size(), 'x'), {}, {}};
        }) == "data: " + target.string() + ".part: is not the right file");
  CHECK_FALSE(fs::exists(target.string() + ".part"));
  CHECK(fails([](From) {
          return Reply{200, kWhole.substr(1), {}, {}};
        }) == "data: URL: the server has 299999 bytes, and the file has 300000");
  CHECK(fails([](From) {
          return Reply{200, "", 12345678901, {}};
        }) == "data: URL: the server has 12345678901 bytes, and the file has 300000");
  // A length that is not announced, and too many bytes.
  CHECK(fails([](From) {
          return Reply{200, "493e1\r\n" + kWhole + "z\r\n0\r\n\r\n", {}, "Transfer-Encoding: chunked\r\n"};
        }).starts_with("data: URL: the server has 3000"));
  CHECK(fails([](From) {
          return Reply{404, "not here", {}, {}};
        }) == "unavailable: URL: the server answers 404");
  CHECK(fails([](From from) {
          Reply r = continued(kWhole, from);
          r.claimed = r.body.size();
          r.body.clear();
          return r;
        }).starts_with("unavailable: URL: 0 of 300000 bytes are here, and then: "));
}

TEST_CASE("downloads: who waits for another finds the file") {
  const TemporaryFolder folder;
  const fs::path target = folder.path() / "w.h5";
  const ScriptedServer server([](From from) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    return continued(kWhole, from);
  });
  std::thread other([&] { io::download(request(server, target, kWhole)); });
  io::download(request(server, target, kWhole));
  other.join();
  CHECK(content(target) == kWhole);
  CHECK(server.requests().size() == 1);
}

TEST_CASE("downloads: a server that is not there, and a folder that cannot be") {
  const TemporaryFolder folder;
  std::string url;
  {
    const ScriptedServer gone([](From from) { return continued(kWhole, from); });
    url = gone.url();
  }
  io::Download d{url, folder.path() / "w.h5", 10, [](const fs::path&) {}, {}};
  CHECK_THROWS_AS(io::download(d), UnavailableError);
  write(folder.path() / "file", "");
  d.target = folder.path() / "file" / "w.h5";
  CHECK_THROWS_AS(io::download(d), WriteError);
}

TEST_CASE("downloads: a small answer as text") {
  const std::string text = file_of(5000);
  const ScriptedServer server([&](From from) { return continued(text, from); });
  CHECK(io::fetch_text(server.url(), text.size()) == text);
  CHECK_THROWS_WITH_AS((void)io::fetch_text(server.url(), text.size() - 1),
                       doctest::Contains("more than 4999 bytes"), DataError);
  const ScriptedServer absent([](From) { return Reply{404, "nothing", {}, {}}; });
  CHECK_THROWS_WITH_AS((void)io::fetch_text(absent.url(), 100), doctest::Contains("404"), UnavailableError);
  const ScriptedServer broken([](From) { return Reply{200, "half", 8, {}}; });
  CHECK_THROWS_AS((void)io::fetch_text(broken.url(), 100), UnavailableError);
}

}  // namespace xf::test
