#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>
#include <string_view>

#include "engine/core/error.h"
#include "tools/xferrun/command.h"
#include "tools/xferrun/run_comparison.h"

namespace fs = std::filesystem;

namespace xf::tool {

namespace {

struct CompareOptions {
  std::vector<std::string> runs;
  bool json = false;
};

std::string_view name(MatchedBy by) { return by == MatchedBy::glitch ? "glitch" : "image"; }

nlohmann::ordered_json to_json(const RunComparison& c) {
  nlohmann::ordered_json j;
  j["runs"] = nlohmann::ordered_json::array();
  for (size_t i = 0; i < c.runs.size(); ++i) {
    const MeasuredRun& r = c.runs[i];
    j["runs"].push_back({{"run", r.path},
                         {"network", r.network},
                         {"images", r.images},
                         {"top1", r.top1},
                         {"top1_interval", {r.top1_low, r.top1_high}},
                         {"macro_f1", r.macro_f1},
                         {"unknown_classes", c.unknown[i]}});
  }
  j["matched_by"] = name(c.matched_by);
  j["pairs"] = nlohmann::ordered_json::array();
  for (const PairOfRuns& p : c.pairs)
    j["pairs"].push_back({{"first", c.runs[p.first].path},
                          {"second", c.runs[p.second].path},
                          {"images", p.outcomes.images()},
                          {"both_right", p.outcomes.both},
                          {"only_first", p.outcomes.only_first},
                          {"only_second", p.outcomes.only_second},
                          {"both_wrong", p.outcomes.neither},
                          {"p", p.p},
                          {"p_holm", p.p_holm}});
  return j;
}

std::string table_of_runs(const RunComparison& c) {
  size_t run = 3, network = 7;
  for (const MeasuredRun& r : c.runs) {
    run = std::max(run, r.path.size());
    network = std::max(network, r.network.size());
  }
  std::string text = fmt::format("    {:<{}}  {:<{}} {:>8} {:>9} {:>16} {:>9}\n", "run", run, "network",
                                 network, "images", "top-1, %", "95 % interval", "macro-F1");
  for (size_t i = 0; i < c.runs.size(); ++i) {
    const MeasuredRun& r = c.runs[i];
    text += fmt::format("{:>2}  {:<{}}  {:<{}} {:>8} {:>9.2f} {:>16} {:>9.4f}\n", i + 1, r.path, run,
                        r.network, network, r.images, 100 * r.top1,
                        fmt::format("{:.2f} to {:.2f}", 100 * r.top1_low, 100 * r.top1_high), r.macro_f1);
  }
  return text;
}

std::string table_of_pairs(const RunComparison& c) {
  const bool several = c.pairs.size() > 1;
  std::string text = fmt::format("{:>2} {:>2} {:>8} {:>10} {:>10} {:>11} {:>10} {:>11}{}\n", "A", "B",
                                 "images", "both right", "only A", "only B", "both wrong", "McNemar's p",
                                 several ? fmt::format(" {:>8}", "Holm's p") : "");
  for (const PairOfRuns& p : c.pairs) {
    const PairedOutcomes& o = p.outcomes;
    text += fmt::format("{:>2} {:>2} {:>8} {:>10} {:>10} {:>11} {:>10} {:>11.2g}", p.first + 1, p.second + 1,
                        o.images(), o.both, o.only_first, o.only_second, o.neither, p.p);
    text += several ? fmt::format(" {:>8.2g}\n", p.p_holm) : "\n";
  }
  return text;
}

/// What the figures above do not have in common, a line each.
std::string notes(const RunComparison& c) {
  std::string text;
  std::set<size_t> partly;
  for (const PairOfRuns& p : c.pairs)
    for (const size_t i : {p.first, p.second})
      if (c.runs[i].images != p.outcomes.images()) partly.insert(i + 1);
  if (!partly.empty())
    text += fmt::format("tested differently: a pair is compared on what both were tested on (runs {})\n",
                        fmt::join(partly, ", "));
  for (size_t i = 0; i < c.runs.size(); ++i)
    if (!c.unknown[i].empty())
      text += fmt::format("run {} does not know classes of the others: {}\n", i + 1,
                          fmt::join(c.unknown[i], ", "));
  if (c.matched_by == MatchedBy::image)
    text += "images, several of one glitch: p takes each for independent of the others, and is too small\n";
  return text.empty() ? text : "\n" + text;
}

void run(const CompareOptions& o) {
  if (o.runs.size() < 2) throw UsageError("compare", "takes two runs or more", "name another RUN folder");
  std::set<fs::path> folders;
  std::vector<MeasuredRun> runs;
  for (const std::string& path : o.runs) {
    std::error_code none;
    if (!folders.insert(fs::weakly_canonical(fs::path(path) / "", none)).second)
      throw UsageError(path, "is given twice", "name each run once");
    runs.push_back(read_measured_run(path));
  }
  const RunComparison c = compare_runs(std::move(runs));
  print_line(o.json ? json_text(to_json(c)) : table_of_runs(c) + "\n" + table_of_pairs(c) + notes(c));
}

}  // namespace

void add_compare(CLI::App& app) {
  CLI::App& command = add_command(
      app, "compare",
      "runs side by side, and whether they differ by more than chance (McNemar's test)\n\n"
      "Two runs are compared on the test images that both have: p is how likely so uneven a division of the\n"
      "images that one alone gets right would be if both were equally good. It is about these two networks;\n"
      "what another seed would change, `fine-tune --seeds` tells. With more than two runs Holm's p takes\n"
      "into account how many pairs there are.",
      "xferrun compare run-inception/ run-vgg/");
  const auto o = std::make_shared<CompareOptions>();
  command.add_option("runs", o->runs, "RUN folders of fine-tune, best with the same --split-file")
      ->required();
  command.add_flag("--json", o->json, "one JSON document instead of tables");
  command.callback([o] { run(*o); });
}

}  // namespace xf::tool
