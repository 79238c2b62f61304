// The engines that were timed, from process to process.

#include "kernels/cuda/engine_cache.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>

#include "tests/support/temporary_folder.h"

namespace xf::test {
namespace {

using cuda::EngineCache;

TEST_CASE("engine cache: what one process stores the next one finds, on the same device alone") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "new" / "engines.json";
  EngineCache first(path, "A, cuDNN 9.1.0");
  CHECK_FALSE(first.find("forward"));
  first.store("forward", "eng1_k2=0");
  first.store("forward", "eng2");
  CHECK(EngineCache(path, "A, cuDNN 9.1.0").find("forward") == "eng2");
  CHECK_FALSE(EngineCache(path, "A, cuDNN 9.2.0").find("forward"));
  CHECK_FALSE(EngineCache(path, "A, cuDNN 9.1.0").find("data gradient"));
}

TEST_CASE("engine cache: two processes lose nothing of each other's") {
  const TemporaryFolder folder;
  const auto path = folder / "engines.json";
  EngineCache one(path, "A"), other(path, "A"), elsewhere(path, "B");
  one.store("p", "eng1");
  other.store("q", "eng2");
  elsewhere.store("p", "eng3");
  one.store("r", "eng4");
  EngineCache last(path, "A");
  CHECK(last.find("p") == "eng1");
  CHECK(last.find("q") == "eng2");
  CHECK(last.find("r") == "eng4");
  CHECK(EngineCache(path, "B").find("p") == "eng3");
}

TEST_CASE("engine cache: a damaged file is ignored and replaced") {
  const TemporaryFolder folder;
  const auto path = folder / "engines.json";
  for (const char* text : {"", "{", "[]", "{}", R"({"format": 1, "engines": {"A": {"p": 3}}})",
                           R"({"format": 2, "engines": {"A": {"p": "eng9"}}})", "\xff\xfe"}) {
    CAPTURE(text);
    std::ofstream(path, std::ios::trunc) << text;
    EngineCache cache(path, "A");
    CHECK_FALSE(cache.find("p"));
    cache.store("p", "eng1");
    CHECK(EngineCache(path, "A").find("p") == "eng1");
  }
}

TEST_CASE("engine cache: without a place to write it holds for the process") {
  const TemporaryFolder folder;
  std::ofstream(folder / "file") << "in the way";
  for (const std::filesystem::path& path :
       {std::filesystem::path{}, folder.path() / "file" / "engines.json"}) {
    EngineCache cache(path, "A");
    cache.store("p", "eng1");
    cache.store("q", "eng2");
    CHECK(cache.find("p") == "eng1");
    CHECK(cache.find("q") == "eng2");
  }
}

TEST_CASE("engine cache: the folder for caches, unless it is relative") {
  const std::string before = std::getenv("XDG_CACHE_HOME");
  ::setenv("XDG_CACHE_HOME", "/somewhere", 1);
  CHECK(EngineCache::default_path() == "/somewhere/xferrun/engines.json");
  ::setenv("XDG_CACHE_HOME", "relative", 1);
  CHECK(EngineCache::default_path().string().find("relative") == std::string::npos);
  ::setenv("XDG_CACHE_HOME", before.c_str(), 1);
}

}  // namespace
}  // namespace xf::test
