#include <fmt/format.h>

#include <memory>

#include "engine/core/error.h"
#include "tools/xferrun/command.h"
#include "tools/xferrun/command_line.h"
#include "tools/xferrun/hdf5_output.h"
#include "tools/xferrun/session.h"
#include "tools/xferrun/weights_commands.h"
#include "weights/export.h"

namespace xf::tool {

namespace {

struct ConvertOptions {
  std::string in, to, out, dialect, preprocess;
  bool force = false;
};

Dialect settle_dialect(const ConvertOptions& o, const weights::FileInfo& file) {
  Dialect dialect = dialect_of(file, *file.network, o.dialect);
  if (!o.preprocess.empty()) dialect.preprocess = parse_preprocess(o.preprocess);
  return dialect;
}

void run(const ConvertOptions& o) {
  const weights::Target target = weights::parse_target(o.to);
  check_output(o.out, o.force, {weights::kVersion, "weights", "this program"});
  const weights::FileInfo file = weights::probe(o.in);
  const std::vector<weights::NamedShape> wanted = weights::tensors_of(file);
  const Dialect dialect = settle_dialect(o, file);
  if (const std::string reason = weights::cannot_express(target, *file.network, dialect); !reason.empty())
    throw DataError(
        o.in, fmt::format("cannot be written for {}: {}", o.to, reason),
        "a script that builds this network itself can take the tensors: read them from this file with h5py");
  const weights::Loaded loaded = weights::load(o.in, *file.network, wanted, weights::Top::loaded);
  std::vector<weights::NamedTensor> tensors;
  tensors.reserve(wanted.size());
  for (const weights::NamedShape& t : wanted) tensors.push_back({t.name, &loaded.tensors.at(t.name)});
  const std::vector<std::string> classes = file.run ? file.run->classes : std::vector<std::string>();
  weights::save(o.out, {*file.network, dialect, classes, {}}, tensors, target);
  print_line(fmt::format("{} tensors of {} written to {}", tensors.size(), full_name(*file.network, dialect),
                         o.out));
}

}  // namespace

void add_weights_convert(CLI::App& weights) {
  CLI::App& command =
      add_command(weights, "convert", "write the weights of a file in the layout of another program",
                  "xferrun weights convert run/best.h5 --to keras3 --out best.weights.h5");
  const auto o = std::make_shared<ConvertOptions>();
  command.add_option("in", o->in, "a weight file")->required();
  command
      .add_option("--to", o->to,
                  "keras (legacy .h5), keras3 (.weights.h5) or torchvision (a dataset for each key of the "
                  "state dict)")
      ->check(word_of(weights::parse_target))
      ->required();
  command.add_option("--out", o->out, "the file to write")->required();
  command.add_flag("--force", o->force,
                   "replace an earlier weight file of this program in --out, and nothing else");
  command
      .add_option("--dialect", o->dialect,
                  "keras, torchvision or caffe, where the file does not say whose network it holds")
      ->check(word_of(parse_family));
  command
      .add_option("--preprocess", o->preprocess,
                  "tf, caffe, torch, unit or bn_inception: what the new file is to say")
      ->check(word_of(parse_preprocess));
  command.callback([o] { run(*o); });
}

}  // namespace xf::tool
