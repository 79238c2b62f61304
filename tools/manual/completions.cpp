// Completion in bash, zsh and fish: commands, their options, and files where a value is asked for.

#include "tools/manual/commands.h"

namespace xf::manual {

namespace {

/// Names of the commands of a command, and of its options.
std::string words_of(const CLI::App& app) {
  std::vector<std::string> words;
  for (const CLI::App* part : parts_of(app)) words.push_back(part->get_name());
  for (const CLI::Option* o : options_of(app)) words.push_back(long_name(*o));
  return joined(words, " ");
}

/// A description on one line, in single quotes of a shell.
std::string quoted(const std::string& text, const std::string& quote) {
  std::string result;
  for (const char c : text) result += c == '\n' ? " " : c == '\'' ? quote : std::string(1, c);
  return "'" + result + "'";
}

constexpr const char* kMadeFrom = "# Made from the options of xferrun when it was built.\n";

}  // namespace

std::string bash_completion(const CLI::App& program) {
  std::string text = kMadeFrom;
  text +=
      "_xferrun() {\n"
      "  local word path='' at=1 words=''\n"
      "  # The commands that are named in front.\n"
      "  while ((at < COMP_CWORD)); do\n"
      "    word=${COMP_WORDS[at]}\n"
      "    [[ $word == -* ]] && break\n"
      "    case \"$path $word\" in\n";
  for (const Command& c : commands_of(program))
    if (!c.path.empty()) text += "      ' " + joined(c.path, " ") + "') ;;\n";
  text +=
      "      *) break ;;\n"
      "    esac\n"
      "    path+=\" $word\"\n"
      "    ((++at))\n"
      "  done\n"
      "  case \"$path\" in\n";
  for (const Command& c : commands_of(program))
    text += "    '" + (c.path.empty() ? "" : " " + joined(c.path, " ")) + "') words='" + words_of(*c.app) +
            "' ;;\n";
  text +=
      "  esac\n"
      "  # Where no option or command fits, bash completes files (-o default).\n"
      "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\")\n"
      "  case \"${COMP_WORDS[COMP_CWORD - 1]}\" in\n"
      "    -*) [[ ${COMP_WORDS[COMP_CWORD]} == -* ]] || COMPREPLY=() ;;\n"
      "  esac\n"
      "}\n"
      "complete -o default -F _xferrun xferrun\n";
  return text;
}

namespace {

/// "'--epochs[passes over the training part]:INT:_files'": a specification of zsh's _arguments.
std::string zsh_option(const CLI::Option& o) {
  std::string description;
  for (const char c : o.get_description()) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') description += '\\';
    description += c;
  }
  const std::string text =
      long_name(o) + "[" + description + "]" + (takes_value(o) ? ":" + o.get_type_name() + ":_files" : "");
  return quoted((o.get_expected_max() > 1 ? "*" : "") + text, "'\\''");
}

/// The function of a command and those of its commands.
std::string zsh_function(const CLI::App& app, const std::string& name) {
  std::string text, inner;
  for (const CLI::App* part : parts_of(app)) inner += zsh_function(*part, name + "_" + part->get_name());
  text += name + "() {\n";
  std::string options;
  for (const CLI::Option* o : options_of(app)) options += " \\\n    " + zsh_option(*o);
  if (parts_of(app).empty()) return text + "  _arguments" + options + " \\\n    '*:file:_files'\n}\n\n";
  text += "  local -a commands\n  local line state\n  commands=(\n";
  for (const CLI::App* part : parts_of(app)) {
    std::string description = part->get_description();
    for (size_t at = 0; (at = description.find(':', at)) != std::string::npos; at += 2)
      description.insert(at, "\\");
    text += "    " + quoted(part->get_name() + ":" + description, "'\\''") + "\n";
  }
  text += "  )\n  _arguments -C" + options +
          " \\\n    '1:command:->command' \\\n    '*::argument:->argument'\n"
          "  case $state in\n"
          "    command) _describe command commands ;;\n"
          "    argument) (( $+functions[" +
          name + "_$line[1]] )) && " + name +
          "_$line[1] ;;\n"
          "  esac\n}\n\n";
  return inner + text;
}

}  // namespace

std::string zsh_completion(const CLI::App& program) {
  return "#compdef xferrun\n" + std::string(kMadeFrom) + "\n" + zsh_function(program, "_xferrun") +
         "_xferrun \"$@\"\n";
}

std::string fish_completion(const CLI::App& program) {
  std::string text = kMadeFrom;
  // A command's own options and commands are offered once its words stand in front, and no command of it
  // does.
  for (const Command& c : commands_of(program)) {
    std::vector<std::string> parts;
    for (const CLI::App* part : parts_of(*c.app)) parts.push_back(part->get_name());
    std::string when;
    for (const std::string& word : c.path)
      when += (when.empty() ? "" : "; and ") + ("__fish_seen_subcommand_from " + word);
    if (!parts.empty())
      when += (when.empty() ? "" : "; and ") + ("not __fish_seen_subcommand_from " + joined(parts, " "));
    const std::string head = "complete -c xferrun -n '" + when + "'";
    for (const CLI::App* part : parts_of(*c.app))
      text += head + " -f -a " + part->get_name() + " -d " + quoted(part->get_description(), "\\'") + "\n";
    for (const CLI::Option* o : options_of(*c.app))
      text += head + " -l " + o->get_lnames().front() + (takes_value(*o) ? " -r" : "") + " -d " +
              quoted(o->get_description(), "\\'") + "\n";
  }
  return text;
}

}  // namespace xf::manual
