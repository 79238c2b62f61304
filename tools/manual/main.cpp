// Writes the manual into a folder: man1/*.1, xferrun.bash, _xferrun (zsh), xferrun.fish.

#include <cstdio>
#include <exception>
#include <filesystem>

#include "engine/io/atomic_file.h"
#include "tools/manual/commands.h"
#include "tools/xferrun/command.h"

namespace xf::manual {

namespace {

void add(std::vector<Command>& all, const Command& command) {
  all.push_back(command);
  for (const CLI::App* part : parts_of(*command.app)) {
    std::vector<std::string> path = command.path;
    path.push_back(part->get_name());
    add(all, {part, path});
  }
}

void write_all(const std::filesystem::path& folder) {
  const auto program = tool::make_parser();
  std::filesystem::create_directories(folder / "man1");
  for (const Command& command : commands_of(*program)) {
    std::vector<std::string> words{program->get_name()};
    words.insert(words.end(), command.path.begin(), command.path.end());
    io::write_file(folder / "man1" / (joined(words, "-") + ".1"), page(*program, command));
  }
  io::write_file(folder / "xferrun.bash", bash_completion(*program));
  io::write_file(folder / "_xferrun", zsh_completion(*program));
  io::write_file(folder / "xferrun.fish", fish_completion(*program));
}

}  // namespace

std::vector<Command> commands_of(const CLI::App& program) {
  std::vector<Command> all;
  add(all, {&program, {}});
  return all;
}

std::vector<const CLI::App*> parts_of(const CLI::App& app) { return app.get_subcommands({}); }

std::string long_name(const CLI::Option& option) { return "--" + option.get_lnames().front(); }

std::vector<const CLI::Option*> options_of(const CLI::App& app) {
  return app.get_options([](const CLI::Option* o) { return !o->get_lnames().empty(); });
}

std::vector<const CLI::Option*> arguments_of(const CLI::App& app) {
  return app.get_options([](const CLI::Option* o) { return o->get_positional(); });
}

bool takes_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

std::string joined(const std::vector<std::string>& words, const std::string& between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

}  // namespace xf::manual

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: make-manual FOLDER\n", stderr);
    return 2;
  }
  try {
    xf::manual::write_all(argv[1]);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "make-manual: %s\n", e.what());
    return 1;
  }
}
