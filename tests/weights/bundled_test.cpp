#include "weights/bundled/bundled.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "engine/io/atomic_file.h"
#include "engine/signal/simulate.h"
#include "tests/support/temporary_folder.h"
#include "weights/import.h"

using Texts = std::vector<std::string>;

TEST_CASE("the bundled weights say what they are, and know none of the demonstration's kinds") {
  const xf::test::TemporaryFolder folder;
  const auto file = folder / "bundled.h5";
  xf::io::write_file(file, xf::weights::bundled_resnet18_narrow());
  CHECK(std::filesystem::file_size(file) <= 3'000'000);
  const xf::weights::FileInfo info = xf::weights::probe(file);
  CHECK(info.network == "resnet18_narrow");
  REQUIRE(info.dialect);
  CHECK(info.dialect->preprocess);
  CHECK(info.dialect->height < 224);  // the demonstration has minutes
  REQUIRE(info.run);
  Texts kinds(xf::pretraining_kinds().begin(), xf::pretraining_kinds().end());
  std::sort(kinds.begin(), kinds.end());
  CHECK(info.run->classes == kinds);
  CHECK(info.top_classes == static_cast<int64_t>(kinds.size()));
}
