// How many images a second the program's own loader makes ready for training: read, decoded, resized,
// augmented.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>

#include "engine/core/error.h"
#include "engine/core/threads.h"
#include "engine/data/loader.h"
#include "engine/signal/simulate.h"
#include "tests/support/temporary_folder.h"
#include "tools/xferrun/command.h"
#include "tools/xferrun/command_line.h"
#include "tools/xferrun/simulated_data.h"

namespace xf {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::string data;
  int threads = usable_cores(), side = 299, per_kind = 8;
  int64_t batch = 16;
  double seconds = 3;
  bool json = false;
};

/// About what one duration of a Gravity Spy picture has.
constexpr int kPictureSide = 600;
constexpr Augment kAugment{.time_shift = 0.1F, .frequency_shift = 0.05F, .gain = 0.2F, .flip_time = true};

struct Measured {
  std::string_view work;
  double images_per_second = 0;
};

/// Whole epochs, for about as long as was asked for, after one that fills the caches of files and images.
double images_per_second(const Dataset& data, const LoaderOptions& options, double seconds) {
  Loader loader(data.samples, options);
  ImageBatch batch;
  int64_t epoch = 0;
  const auto read_epoch = [&] {
    int64_t images = 0;
    for (loader.start_epoch(epoch++); loader.next(batch);)
      images += static_cast<int64_t>(batch.samples.size());
    return images;
  };
  read_epoch();
  const auto start = Clock::now();
  int64_t images = 0;
  double passed = 0;
  do {
    images += read_epoch();
    passed = std::chrono::duration<double>(Clock::now() - start).count();
  } while (passed < seconds);
  return static_cast<double>(images) / passed;
}

std::vector<Measured> measure(const Dataset& data, const Options& o) {
  LoaderOptions options;
  options.batch = o.batch;
  options.height = options.width = o.side;
  options.threads = o.threads;
  const size_t cache = options.cache_limit;
  options.cache_limit = 0;
  const double plain = images_per_second(data, options, o.seconds);
  options.augment = kAugment;
  const double augmented = images_per_second(data, options, o.seconds);
  options.cache_limit = cache;
  return {{"decode, resize", plain},
          {"decode, resize, augment", augmented},
          {"cache, augment", images_per_second(data, options, o.seconds)}};
}

void print(const Dataset& data, const Options& o, const std::vector<Measured>& all) {
  if (o.json) {
    nlohmann::ordered_json j{{"data", o.data.empty() ? "simulated" : o.data},
                             {"images", data.samples.size()},
                             {"side", o.side},
                             {"batch", o.batch},
                             {"threads", o.threads},
                             {"rates", nlohmann::ordered_json::array()}};
    for (const Measured& m : all)
      j["rates"].push_back({{"work", m.work}, {"images_per_second", m.images_per_second}});
    tool::print_line(tool::json_text(j));
    return;
  }
  tool::print_line(fmt::format("{} images to {}x{}, batch {}, {} threads", data.samples.size(), o.side,
                               o.side, o.batch, o.threads));
  for (const Measured& m : all)
    tool::print_line(fmt::format("{:<24} {:>10.1f} images/s", m.work, m.images_per_second));
}

void run(const Options& o) {
  std::optional<test::TemporaryFolder> drawn;
  if (o.data.empty()) {
    drawn.emplace();
    tool::write_simulated_data(drawn->path(), {demo_kinds(), o.per_kind, kPictureSide, 1});
  }
  const Dataset data = open_dataset(drawn ? drawn->path() : std::filesystem::path(o.data));
  print(data, o, measure(data, o));
}

}  // namespace
}  // namespace xf

int main(int argc, char** argv) {
  CLI::App app("Times the loader: how many images a second it makes ready for training.", "bench-loader");
  xf::Options o;
  app.add_option(
      "--data", o.data,
      "a folder of class folders, or a CSV manifest; default: simulated PNG pictures of 600x600 in a "
      "temporary folder");
  app.add_option("--per-kind", o.per_kind, "how many pictures of each of the eight kinds to simulate")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  app.add_option("--side", o.side, "rows and columns of the network's input")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  app.add_option("--batch", o.batch, "images per batch")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--threads", o.threads, "of the loader; default: every core this process may use")
      ->check(CLI::Range(1, 1024));
  app.add_option("--seconds", o.seconds, "for each line, at least")
      ->check(xf::tool::above_zero())
      ->capture_default_str();
  app.add_flag("--json", o.json, "one JSON document");
  CLI11_PARSE(app, argc, argv);
  try {
    xf::run(o);
  } catch (const xf::Error& e) {
    fmt::print(stderr, "bench-loader: error: {}\n{}\n", e.what(), e.remedy());
    return 1;
  }
  return 0;
}
