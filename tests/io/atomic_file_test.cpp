#include "engine/io/atomic_file.h"

#include <doctest/doctest.h>

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
