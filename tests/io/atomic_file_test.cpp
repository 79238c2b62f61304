#include "engine/io/atomic_file.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "engine/io/hdf5.h"
#include "tests/support/temporary_folder.h"

namespace fs = std::filesystem;
using xf::test::TemporaryFolder;

TEST_CASE("a file appears with commit, and without it nothing stays") {
  const TemporaryFolder folder;
  const fs::path target = folder / "best.txt";
  {
    xf::io::AtomicFile file(target);
    file.write("half");
    CHECK_FALSE(fs::exists(target));
  }
  CHECK(fs::is_empty(folder.path()));
  xf::io::write_file(target, "one");
  {
    xf::io::AtomicFile file(target);
    file.write("half");
  }
  CHECK(xf::test::content(target) == "one");
  xf::io::write_file(target, "two");
  CHECK(xf::test::content(target) == "two");
  CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("a writer that is killed leaves the old file; its rest goes with the next write") {
  const TemporaryFolder folder;
  const fs::path target = folder / "best.h5";
  xf::io::write_file(target, "old");
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    xf::io::AtomicFile file(target);
    file.write("half");
    ::raise(SIGKILL);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK(xf::test::content(target) == "old");
  const auto files = [&] { return std::distance(fs::directory_iterator(folder.path()), {}); };
  CHECK(files() == 2);
  {
    xf::io::AtomicFile first(target), second(target);  // a living writer's temporary is left alone
    CHECK(files() == 3);
    first.write("new");
    first.commit();
  }
  CHECK(xf::test::content(target) == "new");
  CHECK(files() == 1);
}

TEST_CASE("a link keeps pointing at the file that is replaced") {
  const TemporaryFolder folder;
  xf::io::write_file(folder / "real", "one");
  fs::create_symlink("real", folder / "link");
  xf::io::write_file(folder / "link", "two");
  CHECK(fs::is_symlink(folder / "link"));
  CHECK(xf::test::content(folder / "real") == "two");
}

TEST_CASE("a target that cannot be written is named, with the reason") {
  const TemporaryFolder folder;
  CHECK_THROWS_WITH_AS(xf::io::write_file("/proc/nowhere/f.h5", ""),
                       doctest::Contains("/proc/nowhere/f.h5: cannot be written: No such file"),
                       xf::WriteError);
  CHECK_THROWS_WITH_AS(xf::io::write_file("/dev/null", "x"), doctest::Contains("not a regular file"),
                       xf::WriteError);
  CHECK_THROWS_AS(xf::io::write_file(folder.path(), "x"), xf::WriteError);
  CHECK_THROWS_AS(xf::hdf5::Writer("/proc/nowhere/f.h5"), xf::WriteError);
}

TEST_CASE("a file system that takes no more leaves the old file and no rest") {
  // A limit on the file size fails writes as a full disk does, and needs no privilege.
  const TemporaryFolder folder;
  xf::io::write_file(folder / "a.txt", "old");
  xf::io::write_file(folder / "a.h5", "old");
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const std::vector<float> data(100'000, 1.5F);
  const int64_t dims[] = {100'000};
  for (const rlim_t limit : {0, 600, 4096, 100'000, 399'000, 401'000}) {
    CAPTURE(limit);
    rlimit small = before;
    small.rlim_cur = limit;
    REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
    bool text_refused = false, hdf5_refused = false;
    std::string said;
    try {
      xf::io::write_file(folder / "a.txt", std::string(410'000, 'x'));
    } catch (const xf::WriteError&) {
      text_refused = true;
    }
    try {
      xf::hdf5::Writer file(folder / "a.h5");
      file.dataset<float>("/group/data", dims, data);
      for (int i = 0; i < 100; ++i) file.group("/g" + std::to_string(i));
      file.commit();
    } catch (const xf::WriteError& error) {
      hdf5_refused = true;
      said = error.what();
    }
    REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
    CHECK(text_refused);
    CHECK(hdf5_refused);
    CHECK(said.find("a.h5: cannot be written: File too large") != std::string::npos);
    CHECK(xf::test::content(folder / "a.txt") == "old");
    CHECK(xf::test::content(folder / "a.h5") == "old");
    CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 2);
  }
  std::signal(SIGXFSZ, handler);
}
