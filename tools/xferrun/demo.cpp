// The embedded default: a small pretrained network that travels in the program, simulated glitches to
// fine-tune it on, and the same network without the pretraining beside it.
#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "engine/core/error.h"
#include "engine/core/log.h"
#include "engine/io/atomic_file.h"
#include "engine/signal/simulate.h"
#include "tools/xferrun/command.h"
#include "tools/xferrun/fine_tune.h"
#include "tools/xferrun/run_report.h"
#include "tools/xferrun/simulated_data.h"
#include "tools/xferrun/version.h"
#include "weights/bundled/bundled.h"
#include "weights/import.h"

namespace fs = std::filesystem;

namespace xf::tool {

namespace {

/// Images of each kind.
constexpr int kTrain = 20, kVal = 10, kTest = 60, kAll = kTrain + kVal + kTest;
constexpr uint64_t kSeed = 20;  // of the images and of training; the pretraining drew with another
/// The best of four by validation, for both, on images drawn with other seeds (weights/bundled/README.md).
constexpr double kLearningRate = 0.03;

struct DemoOptions {
  DeviceOptions device;
  std::string out = "xferrun-demo";
};

/// Where the demonstration puts what.
struct DemoFolder {
  fs::path path;
  [[nodiscard]] fs::path config() const { return path / "config.json"; }
  [[nodiscard]] fs::path data() const { return path / "data"; }
  [[nodiscard]] fs::path weights() const { return path / "pretrained.h5"; }
  [[nodiscard]] fs::path fine_tuned() const { return path / "fine-tuned"; }
  [[nodiscard]] fs::path report() const { return fine_tuned() / "report.html"; }
  [[nodiscard]] fs::path from_scratch() const { return path / "from-scratch"; }
};

/// Throws OutputExistsError when something there is not an earlier demonstration's.
void check_replaceable(const DemoFolder& folder) {
  RunFolder::check(folder.path, Replace::yes);
  std::ifstream in(folder.config());
  if (!in) return;
  if (nlohmann::json::parse(in, nullptr, false).value("command", "") != "demo")
    throw OutputExistsError(folder.path.string(), "holds a run, which demo does not replace",
                            "choose another --out");
  check_simulated_data(folder.data(), demo_kinds());
  RunFolder::check(folder.fine_tuned(), Replace::yes);
  RunFolder::check(folder.from_scratch(), Replace::yes);
}

void prepare(const DemoFolder& folder) {
  io::make_folder(folder.path);
  const nlohmann::json config{{"program", "xferrun"},
                              {"command", "demo"},
                              {"version", version_number()},
                              {"built_with", version_text()},
                              {"generator", kGeneratorVersion},
                              {"images_per_kind", kAll},
                              {"seed", kSeed}};
  io::write_file(folder.config(), json_text(config, 2) + "\n");
  io::write_file(folder.weights(), weights::bundled_resnet18_narrow());
  const int side = weights::probe(folder.weights()).dialect.value().height;
  write_simulated_data(folder.data(), {demo_kinds(), kAll, side, kSeed});
}

/// The options that both trainings share.
FineTuneOptions shared_options(const DemoOptions& o, const DemoFolder& folder) {
  FineTuneOptions f;
  f.device = o.device;
  // A step of this network takes milliseconds: threads would wait for each other as long as they work.
  if (f.device.threads == 0) f.device.threads = 1;
  f.model = "resnet18_narrow";
  f.data = folder.data().string();
  f.force = true;
  f.saving.go_on = "the next demo begins anew";
  f.lr = kLearningRate;
  f.schedule = "cosine";
  f.warmup = 1;
  f.val_fraction = static_cast<double>(kVal) / kAll;
  f.test_fraction = static_cast<double>(kTest) / kAll;
  f.seed = kSeed;
  return f;
}

struct Measured {
  std::string what;
  Evaluation evaluation;
  double seconds = 0;
};

Measured train(const std::string& what, const FineTuneOptions& o, const TrainingRequest& request,
               const Dataset& data) {
  const auto start = std::chrono::steady_clock::now();
  const TrainingResult result = fine_tune(o, request, data, what + ": ");
  return {what, result.evaluation,
          std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count()};
}

std::string table(const std::vector<Measured>& rows) {
  std::string text =
      fmt::format("{:<13} {:>8} {:>18} {:>9} {:>8}\n", "", "top-1", "95 % interval", "macro-F1", "seconds");
  for (const Measured& m : rows) {
    const Fraction& top1 = m.evaluation.top1;
    const std::string interval = fmt::format("{:.1f} to {:.1f} %", 100 * top1.low, 100 * top1.high);
    text += fmt::format("{:<13} {:>6.1f} % {:>18} {:>9.3f} {:>8.1f}\n", m.what, 100 * top1.value, interval,
                        m.evaluation.macro_f1, m.seconds);
  }
  return text;
}

void print_how_to_go_on(const DemoFolder& folder) {
  const std::string run = folder.fine_tuned().string(), data = folder.data().string();
  const std::string first = (folder.data() / demo_kinds()[0]).string();
  print_line(fmt::format(R"({report} shows every image: open it in a browser.

The images are in {data}; what the network makes of them:
  xferrun evaluate {run} --data {data}
  xferrun predict {run} {first}/*.png

The same network and images with options of your own:
  xferrun fine-tune --model resnet18_narrow --weights {weights} \
    --data {data} --split-file {run}/split.csv --epochs 5 --out my-run

With real glitches: a folder of class folders of spectrograms (glitches/Blip/*.png, glitches/Whistle/*.png, ...),
and a network pretrained on ImageNet, in the file that Keras loads it from:
  xferrun data inspect glitches
  xferrun fine-tune --model inception_v3 --weights $(xferrun weights fetch inception_v3_notop) \
    --data glitches --out run
  xferrun evaluate run --data glitches
  xferrun predict run new-glitch.png)",
                         fmt::arg("report", folder.report().string()), fmt::arg("data", data),
                         fmt::arg("run", run), fmt::arg("first", first),
                         fmt::arg("weights", folder.weights().string())));
}

void run(const DemoOptions& o) {
  const DemoFolder folder{o.out};
  check_replaceable(folder);
  const Session device(o.device);  // before the work of drawing: it may not be there
  prepare(folder);
  const Dataset data = open_dataset(folder.data());

  FineTuneOptions options = shared_options(o, folder);
  options.weights = folder.weights().string();
  options.out = folder.fine_tuned().string();
  TrainingRequest request = fine_tune_request(options);
  const Measured tuned = train("fine-tuned", options, request, data);

  // The same network and dialect, without the weights.
  options.weights.clear();
  options.from_scratch = true;
  options.out = folder.from_scratch().string();
  request.weights.clear();
  options.device.profile.clear();
  const Measured scratch = train("from scratch", options, request, data);

  {
    Session session(o.device);
    io::write_file(folder.report(),
                   run_report(session, {open_run(folder.fine_tuned()), data, {}, o.device.device}));
  }
  print_line(
      fmt::format("{} kinds of simulated glitches, of each {} images to train on, {} to choose the best "
                  "epoch and {} to test\n\n{}",
                  demo_kinds().size(), kTrain, kVal, kTest, table({tuned, scratch})));
  print_how_to_go_on(folder);
}

}  // namespace

void add_demo(CLI::App& app) {
  CLI::App& command =
      add_command(app, "demo",
                  "fine-tune a small built-in network on simulated glitches: offline, on the CPU, in minutes",
                  "xferrun demo");
  const auto o = std::make_shared<DemoOptions>();
  command
      .add_option("--out", o->out, "where to put images, weights and runs; an earlier demo there is replaced")
      ->capture_default_str();
  o->device.device = "cpu";  // the same pictures, numbers and minutes for everybody
  add_device_options(command, o->device);
  command.callback([o] { run(*o); });
}

}  // namespace xf::tool
