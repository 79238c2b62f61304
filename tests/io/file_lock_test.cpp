#include "engine/io/file_lock.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <optional>
#include <string>

#include "engine/core/error.h"
#include "tests/support/temporary_folder.h"

using xf::io::FileLock;

TEST_CASE("a lock is held by one, until it lets go") {
  const xf::test::TemporaryFolder folder;
  std::optional<FileLock> first(folder / "lock");
  CHECK_THROWS_WITH_AS(FileLock(folder / "lock"),
                       doctest::Contains(("process " + std::to_string(::getpid()) + " on ").c_str()),
                       xf::OutputExistsError);
  first.reset();
  CHECK_NOTHROW(FileLock(folder / "lock"));
  CHECK_THROWS_AS(FileLock(folder / "no" / "lock"), xf::WriteError);
}

TEST_CASE("a lock whose process is gone is free") {
  const xf::test::TemporaryFolder folder;
  const std::string file = (folder / "lock").string();
  const pid_t child = ::fork();
  if (child == 0) {
    const FileLock held(file);
    ::_exit(0);  // without destructors, as a killed process ends
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK_NOTHROW(FileLock{file});
}

TEST_CASE("who waits for a lock has it once the other lets go") {
  const xf::test::TemporaryFolder folder;
  std::optional<FileLock> first(folder / "lock");
  int waited = 0;
  const FileLock second(folder / "lock", [&] {
    ++waited;
    first.reset();
  });
  CHECK(waited == 1);
  CHECK_THROWS_AS(FileLock(folder / "lock"), xf::OutputExistsError);
}
