#include <fmt/format.h>

#include <memory>

#include "engine/core/error.h"
#include "tools/xferrun/command.h"
#include "tools/xferrun/weights_commands.h"
#include "weights/compare.h"

namespace xf::tool {

namespace {

struct VerifyOptions {
  std::string a, b;
  bool json = false;
};

void print(const weights::Comparison& c, bool json) {
  if (!json) {
    for (const weights::Difference& d : c.differences) print_line(d.text);
    print_line(fmt::format("{} tensors are the same, {} differences", c.same, c.differences.size()));
    return;
  }
  nlohmann::ordered_json j{{"same", c.same}, {"differences", nlohmann::ordered_json::array()}};
  for (const weights::Difference& d : c.differences) {
    nlohmann::ordered_json row{{"tensor", nullptr}, {"what", d.text}, {"largest", nullptr}};
    if (!d.tensor.empty()) row["tensor"] = d.tensor;
    if (d.largest) row["largest"] = *d.largest;
    j["differences"].push_back(row);
  }
  print_line(json_text(j));
}

void run(const VerifyOptions& o) {
  const weights::Comparison c = weights::compare(weights::probe(o.a), weights::probe(o.b));
  print(c, o.json);
  if (c.differences.empty()) return;
  throw DataError(o.b,
                  fmt::format("differs from {} in {} tensors, {} first", o.a, c.differences.size(),
                              c.differences.front().text),
                  "Compare with the file that it was made of, or copy it again.");
}

}  // namespace

void add_weights_verify(CLI::App& weights) {
  CLI::App& command =
      add_command(weights, "verify",
                  "compare two files tensor by tensor, in whatever layouts (exit code 65 if they differ)",
                  "xferrun weights verify vgg16.h5 vgg16.weights.h5");
  const auto o = std::make_shared<VerifyOptions>();
  command.add_option("a", o->a, "a weight file")->required();
  command.add_option("b", o->b, "another of the same network")->required();
  command.add_flag("--json", o->json, "one JSON document");
  command.callback([o] { run(*o); });
}

}  // namespace xf::tool
