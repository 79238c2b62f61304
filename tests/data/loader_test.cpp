#include "engine/data/loader.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "engine/core/error.h"
#include "engine/io/image.h"
#include "tests/data/files.h"
#include "tests/support/test_data.h"

using namespace xf;

namespace {

constexpr int kCount = 23;

/// Images whose colour tells which they are.
Dataset numbered(const test::TemporaryFolder& folder) {
  for (int i = 0; i < kCount; ++i)
    test::put(folder, fmt::format("{}/{:02}.png", i < 10 ? "a" : "b", i),
              io::encode_png(test::plain_image(8 + i, 9, static_cast<uint8_t>(10 * i), 77, 200)));
  return open_dataset(folder.path());
}

LoaderOptions small() { return {.batch = 4, .height = 6, .width = 5, .seed = 42}; }

/// Everything of an epoch in one row of bytes, labels and samples.
struct Epoch {
  std::vector<uint8_t> bytes;
  std::vector<int32_t> labels;
  std::vector<float> weights;
  std::vector<int64_t> samples;
  friend bool operator==(const Epoch&, const Epoch&) = default;
};

void append(Epoch& epoch, const ImageBatch& batch) {
  const auto to = [](auto& all, const auto& part) { all.insert(all.end(), part.begin(), part.end()); };
  to(epoch.bytes, batch.images.as<uint8_t>());
  to(epoch.labels, batch.labels.as<int32_t>());
  to(epoch.weights, batch.weights.as<float>());
  to(epoch.samples, batch.samples);
}

Epoch read_epoch(Loader& loader, int64_t epoch, int64_t first_batch = 0) {
  Epoch result;
  ImageBatch batch;
  loader.start_epoch(epoch, first_batch);
  while (loader.next(batch)) append(result, batch);
  return result;
}

}  // namespace

TEST_CASE("a shuffled epoch shows every sample, and wraps to fill the last batch") {
  const test::TemporaryFolder folder;
  const Dataset data = numbered(folder);
  Loader loader(data.samples, small());
  CHECK(loader.batches() == 6);
  const Epoch epoch = read_epoch(loader, 0);
  REQUIRE(epoch.samples.size() == 24);
  CHECK(epoch.samples[23] == epoch.samples[0]);
  std::vector<int64_t> seen(epoch.samples.begin(), epoch.samples.end() - 1);
  CHECK(seen == epoch_order(kCount, Order::shuffled, 42, 0));
  std::sort(seen.begin(), seen.end());
  for (int i = 0; i < kCount; ++i) REQUIRE(seen[static_cast<size_t>(i)] == i);
  for (size_t i = 0; i < epoch.samples.size(); ++i) {
    const auto sample = static_cast<size_t>(epoch.samples[i]);
    REQUIRE(epoch.labels[i] == data.samples[sample].label);
    REQUIRE(epoch.weights[i] == 1.0F);
    for (size_t p = 0; p < 30; ++p) {
      REQUIRE(epoch.bytes[(i * 30 + p) * 3] == 10 * sample);
      REQUIRE(epoch.bytes[(i * 30 + p) * 3 + 2] == 200);
    }
  }
  ImageBatch batch;
  CHECK(!loader.next(batch));
}

TEST_CASE("evaluation pads the last batch with images of no weight") {
  const test::TemporaryFolder folder;
  LoaderOptions options = small();
  options.batch = 10;
  options.order = Order::sequential;
  options.last = LastBatch::pad;
  Loader loader(numbered(folder).samples, options);
  const Epoch epoch = read_epoch(loader, 3);
  REQUIRE(epoch.samples.size() == 30);
  for (int64_t i = 0; i < 30; ++i) {
    const auto at = static_cast<size_t>(i);
    CHECK(epoch.samples[at] == (i < kCount ? i : -1));
    CHECK(epoch.weights[at] == (i < kCount ? 1.0F : 0.0F));
    if (i >= kCount) CHECK(epoch.bytes[at * 90 + 2] == 0);
  }
}

TEST_CASE("batches are the same at any number of threads, depth and cache, and when resumed") {
  const test::TemporaryFolder folder;
  const Dataset data = numbered(folder);
  LoaderOptions options = small();
  options.augment = {.time_shift = 0.4F, .frequency_shift = 0.2F, .gain = 0.3F, .flip_time = true};
  Loader reference(data.samples, options);
  const Epoch first = read_epoch(reference, 0), second = read_epoch(reference, 1);
  CHECK(first != second);
  CHECK(first == read_epoch(reference, 0));  // now from the cache
  for (const int threads : {1, 2, 5})
    for (const int depth : {1, 4})
      for (const size_t cache : {size_t{0}, size_t{7 * 90}, size_t{1} << 20}) {
        options.threads = threads;
        options.depth = depth;
        options.cache_limit = cache;
        Loader loader(data.samples, options);
        REQUIRE(read_epoch(loader, 1) == second);
        REQUIRE(read_epoch(loader, 0) == first);
        REQUIRE(loader.bytes_held() <= Loader::bytes_bound(data.samples.size(), options));
      }
  Loader resumed(data.samples, options);
  const Epoch rest = read_epoch(resumed, 1, 4);
  CHECK(rest.samples == std::vector<int64_t>(second.samples.begin() + 16, second.samples.end()));
  CHECK(rest.bytes == std::vector<uint8_t>(second.bytes.begin() + 16 * 90, second.bytes.end()));
}

TEST_CASE("fewer samples than a batch, and none") {
  const test::TemporaryFolder folder;
  std::vector<Sample> two = numbered(folder).samples;
  two.resize(2);
  LoaderOptions options = small();
  options.order = Order::sequential;
  options.threads = 3;
  Loader loader(two, options);
  CHECK(read_epoch(loader, 0).samples == std::vector<int64_t>{0, 1, 0, 1});
  Loader none({}, options);
  CHECK(none.batches() == 0);
  CHECK(read_epoch(none, 0).samples.empty());
}

TEST_CASE("an image that breaks on the way is reported with its batch, and the loader goes on") {
  const test::TemporaryFolder folder;
  LoaderOptions options = small();
  options.order = Order::sequential;
  options.threads = 3;
  options.depth = 4;
  const Dataset data = numbered(folder);
  test::put(folder, "a/09.png", "not an image any more");
  Loader loader(data.samples, options);
  for (int attempt = 0; attempt < 2; ++attempt) {
    ImageBatch batch;
    loader.start_epoch(0);
    CHECK(loader.next(batch));
    CHECK(loader.next(batch));
    CHECK(batch.samples[3] == 7);
    CHECK_THROWS_WITH_AS((void)loader.next(batch), doctest::Contains("09.png"), DataError);
    CHECK(!loader.next(batch));
  }
  std::filesystem::remove(data.samples[9].images[0].file);
  loader.start_epoch(0, 2);
  ImageBatch batch;
  CHECK_THROWS_AS((void)loader.next(batch), MissingInputError);
}

TEST_CASE("a loader may be left at any time") {
  const test::TemporaryFolder folder;
  const Dataset data = numbered(folder);
  LoaderOptions options = small();
  options.cache_limit = 0;
  for (int i = 0; i < 60; ++i) {
    options.threads = 1 + i % 3;
    options.depth = 1 + i % 4;
    Loader loader(data.samples, options);
    if (i % 5 == 0) continue;  // never started
    loader.start_epoch(0);
    ImageBatch batch;
    for (int n = 0; n < i % 4; ++n) CHECK(loader.next(batch));
    if (i % 2 == 0) loader.start_epoch(1);  // in the middle of the first
    if (i % 3 == 0) std::this_thread::sleep_for(std::chrono::microseconds(100 * (i % 7)));
  }
}

TEST_CASE("options that make no sense are refused") {
  for (int LoaderOptions::*field :
       {&LoaderOptions::height, &LoaderOptions::width, &LoaderOptions::threads, &LoaderOptions::depth}) {
    LoaderOptions options = small();
    options.*field = 0;
    CHECK_THROWS_AS((Loader{{}, options}), UsageError);
  }
  LoaderOptions options = small();
  options.batch = 0;
  CHECK_THROWS_AS((Loader{{}, options}), UsageError);
}

TEST_CASE("real spectrograms arrive whole at the network's size") {
  const auto path = test::data_path("o3_scattering_koi");
  if (!path) return;
  std::vector<Sample> samples = open_dataset(*path).samples;
  samples.resize(6);
  LoaderOptions options{.batch = 3, .height = 299, .width = 299, .order = Order::sequential};
  Loader loader(samples, options);
  loader.start_epoch(0);
  ImageBatch batch;
  REQUIRE(loader.next(batch));
  const io::Image second = io::read_image(samples[1].images[0].file);
  const auto bytes = batch.images.as<uint8_t>().subspan(second.rgb.size(), second.rgb.size());
  CHECK(std::equal(bytes.begin(), bytes.end(), second.rgb.begin()));
}

TEST_CASE("images of one channel are grey, augmented like those of three") {
  const test::TemporaryFolder folder;
  const Dataset data = numbered(folder);
  LoaderOptions options = small();
  options.order = Order::sequential;
  options.augment.time_shift = 0.5F;
  Loader colour(data.samples, options);
  options.channels = 1;
  Loader grey(data.samples, options);
  colour.start_epoch(0);
  grey.start_epoch(0);
  for (ImageBatch c, g; colour.next(c) && grey.next(g);) {
    CHECK(g.images.shape() == Shape{4, 6, 5, 1});
    std::vector<uint8_t> expected(g.images.as<uint8_t>().size());
    to_grey(c.images.as<uint8_t>(), expected);
    CHECK(std::ranges::equal(expected, g.images.as<uint8_t>()));
  }
}
