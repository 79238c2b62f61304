#include "weights/checkpoint.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <fstream>

#include "engine/core/error.h"
#include "engine/core/rng.h"
#include "engine/io/hdf5.h"
#include "tests/support/temporary_folder.h"

using namespace xf::weights;
using xf::test::TemporaryFolder;

namespace {

Checkpoint some_checkpoint() {
  Checkpoint c;
  c.state = {3, 12, 57, 114, {0.1 + 0.2, 7, 96, 1.5}, {2, 1.25, 0.5, 1.0 / 3, 0.75, std::nullopt, 9.5, 40}};
  c.about = R"({"options":"a \u0000 b"})";
  xf::Rng rng(3);
  for (const char* name : {"conv1.weight", "moment1/conv1.weight", "ema/layer1.0.bn1.running_var"}) {
    xf::Tensor t({4, 3, 3, 5});
    for (float& x : t.as<float>()) x = static_cast<float>(rng.normal());
    c.tensors.emplace_back(name, std::move(t));
  }
  c.tensors[0].second.as<float>()[7] = -0.0F;
  c.tensors[0].second.as<float>()[8] = 1e-42F;  // subnormal
  return c;
}

void check_same(const Checkpoint& a, const Checkpoint& b) {
  CHECK(a.about == b.about);
  CHECK(a.state.epoch == b.state.epoch);
  CHECK(a.state.step == b.state.step);
  CHECK(a.state.updates == b.state.updates);
  CHECK(a.state.micro_batches == b.state.micro_batches);
  CHECK(a.state.sums.loss == b.state.sums.loss);
  CHECK(a.state.sums.images == b.state.sums.images);
  CHECK(a.state.best.epoch == b.state.best.epoch);
  CHECK(a.state.best.val_loss == b.state.best.val_loss);
  CHECK(a.state.best.val_top5 == b.state.best.val_top5);
  REQUIRE(a.tensors.size() == b.tensors.size());
  for (const auto& [name, tensor] : a.tensors) {
    const auto other = std::find_if(b.tensors.begin(), b.tensors.end(),
                                    [&, &wanted = name](const auto& t) { return t.first == wanted; });
    REQUIRE(other != b.tensors.end());
    REQUIRE(tensor.bytes() == other->second.bytes());
    CHECK(std::memcmp(tensor.data(), other->second.data(), tensor.bytes()) == 0);
  }
}

void put(const std::filesystem::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary) << bytes;
}

}  // namespace

TEST_CASE("a checkpoint comes back with the same bits") {
  const TemporaryFolder folder;
  const Checkpoint c = some_checkpoint();
  save_checkpoint(folder / "last.h5", c);
  check_same(c, load_checkpoint(folder / "last.h5"));
  CHECK_THROWS_AS(static_cast<void>(load_checkpoint(folder / "gone.h5")), xf::MissingInputError);
}

TEST_CASE("a checkpoint that is cut short is refused, wherever it ends") {
  const TemporaryFolder folder;
  save_checkpoint(folder / "last.h5", some_checkpoint());
  const std::string whole = xf::test::content(folder / "last.h5");
  for (size_t length = 0; length < whole.size(); length += 97) {
    CAPTURE(length);
    put(folder / "cut.h5", whole.substr(0, length));
    CHECK_THROWS_AS(static_cast<void>(load_checkpoint(folder / "cut.h5")), xf::DataError);
  }
}

TEST_CASE("a flipped bit is noticed, or was in nothing that is read") {
  const TemporaryFolder folder;
  const Checkpoint c = some_checkpoint();
  save_checkpoint(folder / "last.h5", c);
  const std::string whole = xf::test::content(folder / "last.h5");
  int noticed = 0, all = 0;
  for (size_t at = 5; at < whole.size(); at += 41) {
    CAPTURE(at);
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << (at % 8)));
    put(folder / "damaged.h5", damaged);
    ++all;
    try {
      // A name is no number: who restores the tensors notices that it is another.
      Checkpoint back = load_checkpoint(folder / "damaged.h5");
      for (size_t i = 0; i < c.tensors.size() && i < back.tensors.size(); ++i)
        for (const auto& [name, tensor] : c.tensors)
          if (name == back.tensors[i].first)
            CHECK(std::memcmp(tensor.data(), back.tensors[i].second.data(), tensor.bytes()) == 0);
      CHECK(back.about == c.about);
    } catch (const xf::DataError&) {
      ++noticed;
    }
  }
  CHECK(noticed > all / 10);
}

TEST_CASE("a damaged tensor is named") {
  const TemporaryFolder folder;
  const Checkpoint c = some_checkpoint();
  save_checkpoint(folder / "last.h5", c);
  std::string bytes = xf::test::content(folder / "last.h5");
  const auto* values = reinterpret_cast<const char*>(c.tensors[1].second.data());
  const size_t at = bytes.find(std::string(values, 64));
  REQUIRE(at != std::string::npos);
  bytes[at + 40] = static_cast<char>(bytes[at + 40] ^ 4);
  put(folder / "last.h5", bytes);
  CHECK_THROWS_WITH_AS(static_cast<void>(load_checkpoint(folder / "last.h5")),
                       doctest::Contains("/tensors/moment1/conv1.weight is damaged"), xf::DataError);
}

TEST_CASE("what is no checkpoint, or a newer one, is refused") {
  const TemporaryFolder folder;
  {
    xf::hdf5::Writer file(folder / "other.h5");
    file.commit();
  }
  CHECK_THROWS_WITH_AS(static_cast<void>(load_checkpoint(folder / "other.h5")),
                       doctest::Contains("is no checkpoint"), xf::DataError);
  {
    xf::hdf5::Writer file(folder / "newer.h5");
    file.attribute("/", "checkpoint_format", 2.0);
    file.attribute("/", "xferrun_version", std::string_view("9.1.0"));
    file.commit();
  }
  CHECK_THROWS_WITH_AS(static_cast<void>(load_checkpoint(folder / "newer.h5")),
                       doctest::Contains("was written by a newer version, 9.1.0"), xf::DataError);
}
