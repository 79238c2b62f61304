// A few training steps from given weights on one given batch, for comparing them with other software's:
//   parity-steps MODEL DIALECT WEIGHTS.h5 BATCH.h5 sgd|adam RATE STEPS direct|by-rule OUT.h5
// BATCH.h5 holds /images, (n,h,w,c) bytes that the network sees divided by 255, and /labels (n). Prints the
// loss before each step, a line each. OUT.h5 has the weights after the last, as a run's best.h5 would.
// `direct` computes no convolution by Winograd's algorithm, `by-rule` those that every training does.

#include <fmt/format.h>

#include <cstdint>
#include <exception>
#include <numeric>
#include <string>
#include <vector>

#include "engine/core/error.h"
#include "engine/io/hdf5.h"
#include "engine/train/trainer.h"
#include "kernels/cpu/backend.h"
#include "models/registry.h"
#include "tools/xferrun/session.h"
#include "weights/export.h"
#include "weights/import.h"

namespace xf::tool {
namespace {

ImageBatch read_batch(const std::string& path) {
  const hdf5::File file(path);
  const std::vector<int64_t> dims = file.dims("/images");
  const int64_t n = dims.at(0);
  ImageBatch b;
  b.images = Tensor({n, dims.at(1), dims.at(2), dims.at(3)}, DType::u8);
  b.labels = Tensor({n, 1, 1, 1}, DType::i32);
  b.weights = Tensor({n, 1, 1, 1});
  file.read_rows<uint8_t>("/images", 0, n, b.images.as<uint8_t>());
  const std::vector<int64_t> labels = file.read<int64_t>("/labels");
  for (size_t i = 0; i < static_cast<size_t>(n); ++i) {
    b.labels.as<int32_t>()[i] = static_cast<int32_t>(labels.at(i));
    b.weights.as<float>()[i] = 1;
  }
  b.samples.resize(static_cast<size_t>(n));
  std::iota(b.samples.begin(), b.samples.end(), 0);
  return b;
}

/// The network without dropout, which no two programs draw alike.
NetworkSpec without_dropout(const std::string& model, Dialect dialect, int classes, const Shape& images) {
  dialect.family = Family::keras;  // whose definitions have none; all else that the dialect says stays
  dialect.preprocess = Preprocess::unit;
  NetworkSpec spec = make_network(model, dialect, classes);
  spec.height = static_cast<int>(images.h);
  spec.width = static_cast<int>(images.w);
  return spec;
}

cpu::Convolutions parse_convolutions(const std::string& text) {
  if (text == "direct") return cpu::Convolutions::direct;
  if (text == "by-rule") return cpu::Convolutions::by_rule;
  throw UsageError(text, "is no way to compute convolutions", "give direct or by-rule");
}

void write_weights(const std::string& path, const weights::RunInfo& info, const NetworkSpec& spec,
                   const ParamStore& store) {
  const std::vector<weights::NamedShape> wanted = tensors_of(spec);
  std::vector<Tensor> tensors;
  std::vector<weights::NamedTensor> named;
  tensors.reserve(wanted.size());
  for (const weights::NamedShape& t : wanted) {
    tensors.push_back(store.get(t.name));
    named.push_back({t.name, &tensors.back()});
  }
  weights::save(path, info, named);
}

void run(const std::vector<std::string>& arguments) {
  const std::string &model = arguments.at(0), &path = arguments.at(2);
  const weights::FileInfo file = weights::probe(path);
  const Dialect dialect = dialect_of(file, model, arguments.at(1));
  const auto classes = static_cast<int>(file.top_classes.value());
  const ImageBatch batch = read_batch(arguments.at(3));
  const NetworkSpec spec = without_dropout(model, dialect, classes, batch.images.shape());

  TrainOptions options;
  options.batch = batch.images.shape().n;
  options.update.rule.kind = parse_optimizer(arguments.at(4));
  // A bias before a batch norm has no gradient but rounding, which a small epsilon would blow up to whole
  // steps.
  options.update.rule.eps = 1e-3F;
  options.update.learning_rate = std::stod(arguments.at(5));

  const auto backend = cpu::make_backend(Determinism::fixed_threads, parse_convolutions(arguments.at(7)));
  ParamStore store(*backend);
  ActivationMemory memory(*backend);
  Trainer trainer(spec, options, *backend, store, memory,
                  read_weights(spec, path, model, weights::Top::loaded));
  for (int step = 0; step < std::stoi(arguments.at(6)); ++step) {
    trainer.step(batch);
    fmt::print("{:.9g}\n", trainer.loss());
  }
  std::vector<std::string> names(static_cast<size_t>(classes));
  for (int c = 0; c < classes; ++c) names[static_cast<size_t>(c)] = fmt::format("class {}", c);
  write_weights(arguments.at(8), {model, dialect, names, {}}, spec, store);
}

}  // namespace
}  // namespace xf::tool

int main(int argc, char** argv) {
  if (argc != 10) {
    fmt::print(
        stderr,
        "usage: parity-steps MODEL DIALECT WEIGHTS.h5 BATCH.h5 sgd|adam RATE STEPS direct|by-rule OUT.h5\n");
    return 2;
  }
  try {
    xf::tool::run({argv + 1, argv + argc});
    return 0;
  } catch (const std::exception& e) {
    fmt::print(stderr, "parity-steps: error: {}\n", e.what());
    return 70;
  }
}
