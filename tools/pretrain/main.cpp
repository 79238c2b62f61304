// Makes the network that `xferrun demo` starts from: a narrow ResNet-18, trained from scratch on simulated
// glitches of kinds that the demonstration does not show. See weights/bundled/README.md.
#include <fmt/format.h>

#include <cstdio>
#include <exception>

#include "engine/core/error.h"
#include "engine/data/split.h"
#include "engine/signal/simulate.h"
#include "tools/xferrun/command.h"
#include "tools/xferrun/simulated_data.h"
#include "tools/xferrun/training_run.h"
#include "tools/xferrun/version.h"

namespace {

using namespace xf;
using namespace xf::tool;

constexpr int kPerKind = 750, kSide = 96, kEpochs = 10;
constexpr double kTestFraction = 0.1;
constexpr uint64_t kSeed = 1;  // of images and training

void run(const std::filesystem::path& out) {
  const std::filesystem::path images = out / "data";
  check_simulated_data(images, pretraining_kinds());
  write_simulated_data(images, {pretraining_kinds(), kPerKind, kSide, kSeed});
  DeviceOptions device;
  device.deterministic = true;
  device.threads = 1;  // a step takes milliseconds: threads would wait for each other as long as they work
  Session session(device);

  TrainingRequest request;
  request.model = "resnet18_narrow";
  request.dialect = default_dialect(request.model, "");
  request.dialect.height = request.dialect.width = kSide;
  request.train.epochs = kEpochs;
  request.train.batch = 32;
  request.train.seed = kSeed;
  request.train.update.learning_rate = 0.05;
  request.train.update.weight_decay = 5e-4;
  request.train.schedule.kind = ScheduleKind::cosine;
  request.train.schedule.warmup_epochs = 1;

  const Dataset data = open_dataset(images);
  const std::vector<Part> parts = make_split(data, {0, kTestFraction, kSeed});
  TrainingRun training(session, request, data, parts);
  const RunFolder folder(out / "run", Replace::yes);
  folder.write_config({{"program", "xferrun"},
                       {"version", version_number()},
                       {"generator", kGeneratorVersion},
                       {"images_per_kind", kPerKind}});
  folder.write_split(data, parts);
  const TrainingResult result = training.run(folder, {});
  const Evaluation e = evaluate(result.test, data.classes);
  folder.write_evaluation(to_json(e));
  print_line(to_table(e) + "\n" + folder.best().string());
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Makes the pretrained network that `xferrun demo` starts from.", "make-bundled-weights");
  std::string out;
  app.add_option("out", out, "a folder for the images (OUT/data) and the run (OUT/run/best.h5)")->required();
  CLI11_PARSE(app, argc, argv);
  try {
    run(out);
    return 0;
  } catch (const std::exception& e) {
    fmt::print(stderr, "make-bundled-weights: error: {}\n", e.what());
    return 1;
  }
}
