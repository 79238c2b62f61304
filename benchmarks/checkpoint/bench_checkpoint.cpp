// A checkpoint of a network in training: how long the training waits for it, how long it is written, and how
// long it takes to go on from it.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "engine/core/error.h"
#include "engine/io/atomic_file.h"
#include "engine/train/trainer.h"
#include "models/registry.h"
#include "tools/xferrun/checkpoint_files.h"
#include "tools/xferrun/command.h"
#include "tools/xferrun/command_line.h"
#include "tools/xferrun/session.h"

namespace fs = std::filesystem;

namespace xf {
namespace {

struct Options {
  tool::DeviceOptions device;
  std::string model, folder = ".";
  int rounds = 5;
  bool json = false;
};

double seconds_of(const auto& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void run(const Options& o) {
  tool::Session session(o.device);
  const NetworkSpec spec = tool::make_network(o.model, tool::default_dialect(o.model, ""), 22);
  TrainOptions train;  // SGD with momentum
  train.batch = 2;
  const Trainer trainer(spec, train, session.backend(), session.store(), session.memory());
  const fs::path folder = fs::path(o.folder) / "bench-checkpoint";
  io::make_folder(folder);
  std::vector<double> waited, written, restored;
  uintmax_t bytes = 0;
  for (int i = 0; i < o.rounds; ++i) {
    tool::CheckpointWriter writer(folder, 1);
    waited.push_back(
        seconds_of([&] { writer.write(tool::take_checkpoint(session.store(), TrainState{}, "{}")); }));
    writer.wait();
    written.push_back(writer.seconds());
    bytes = fs::file_size(folder / "last.h5");
    restored.push_back(
        seconds_of([&] { tool::put_back(weights::load_checkpoint(folder / "last.h5"), session.store()); }));
  }
  fs::remove_all(folder);
  if (o.json) {
    const nlohmann::ordered_json j{{"model", o.model},
                                   {"bytes", bytes},
                                   {"waited_seconds", median(waited)},
                                   {"written_seconds", median(written)},
                                   {"restored_seconds", median(restored)}};
    tool::print_line(j.dump());
    return;
  }
  tool::print_line(fmt::format(
      "{}, {:.1f} MB: the training waits {:.3f} s, it is written, synced and read back in {:.2f} s, and "
      "restored in {:.2f} s (medians of {})",
      o.model, 1e-6 * static_cast<double>(bytes), median(waited), median(written), median(restored),
      o.rounds));
}

}  // namespace
}  // namespace xf

int main(int argc, char** argv) {
  CLI::App app("Times a training's checkpoint.", "bench-checkpoint");
  xf::Options o;
  app.add_option("--model", o.model, "the network, as in fine-tune")
      ->required()
      ->check(xf::tool::word_of(xf::find_model));
  app.add_option("--folder", o.folder, "where bench-checkpoint/last.h5 is written, and removed again")
      ->capture_default_str();
  app.add_option("--rounds", o.rounds, "how often")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_flag("--json", o.json, "one JSON document");
  xf::tool::add_device_options(app, o.device);
  try {
    CLI11_PARSE(app, argc, argv);
    xf::run(o);
  } catch (const xf::Error& e) {
    fmt::print(stderr, "bench-checkpoint: error: {}\n{}\n", e.what(), e.remedy());
    return 1;
  }
  return 0;
}
