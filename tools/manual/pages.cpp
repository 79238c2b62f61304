// Manual pages: roff with the macros of man(7).

#include "tools/manual/commands.h"
#include "tools/xferrun/version.h"

namespace xf::manual {

namespace {

/// Text for roff: nothing in it is a request, and a minus is one that can be copied.
std::string plain(const std::string& text) {
  std::string result;
  bool at_start = true;
  for (const char c : text) {
    if (at_start && (c == '.' || c == '\'')) result += "\\&";
    if (c == '\\') {
      result += "\\e";
    } else if (c == '-') {
      result += "\\-";
    } else {
      result += c;
    }
    at_start = c == '\n';
  }
  return result;
}

std::string section(const std::string& name, const std::string& text) {
  return text.empty() ? "" : ".SH " + name + "\n" + text;
}

/// Text whose lines stay as they are.
std::string verbatim(const std::string& text) { return ".nf\n" + plain(text) + "\n.fi\n"; }

std::string bold(const std::string& text) { return "\\fB" + plain(text) + "\\fR"; }
std::string slanted(const std::string& text) { return "\\fI" + plain(text) + "\\fR"; }

std::string paragraph(const std::string& head, const std::string& text) {
  return ".TP\n" + head + "\n" + plain(text) + "\n";
}

std::string option_text(const CLI::Option& o) {
  std::string head;
  for (const std::string& letter : o.get_snames()) head.append(bold("-" + letter)).append(", ");
  head += bold(long_name(o));
  if (takes_value(o)) head += " " + slanted(o.get_type_name()) + (o.get_expected_max() > 1 ? " ..." : "");
  std::string text = o.get_description();
  if (o.get_required()) text += " (required)";
  if (!o.get_default_str().empty()) text += " [" + o.get_default_str() + "]";
  return paragraph(head, text);
}

std::string synopsis(const CLI::App& app, const std::string& name) {
  std::string text = bold(name);
  if (!parts_of(app).empty()) return text + " " + slanted("COMMAND") + " [" + slanted("OPTION") + " ...]\n";
  for (const CLI::Option* o : options_of(app))
    if (o->get_required() && !o->get_positional())
      text += " " + bold(long_name(*o)) + " " + slanted(o->get_type_name());
  text += " [" + slanted("OPTION") + " ...]";
  for (const CLI::Option* o : arguments_of(app)) {
    const std::string word = slanted(o->get_name(true)) + (o->get_expected_max() > 1 ? " ..." : "");
    text += o->get_required() ? " " + word : " [" + word + "]";
  }
  return text + "\n";
}

/// The pages of the commands of a command, or of the one that it belongs to.
std::string see_also(const Command& command, const std::string& page) {
  std::string text;
  for (const CLI::App* part : parts_of(*command.app))
    text += (text.empty() ? "" : ",\n") + bold(page + "-" + part->get_name()) + "(1)";
  if (!command.path.empty())
    text = bold(page.substr(0, page.rfind('-'))) + "(1)" + (text.empty() ? "" : ",\n") + text;
  return text + "\n";
}

}  // namespace

std::string page(const CLI::App& program, const Command& command) {
  const CLI::App& app = *command.app;
  std::vector<std::string> words{program.get_name()};
  words.insert(words.end(), command.path.begin(), command.path.end());
  const std::string title = joined(words, "-"), name = joined(words, " ");
  std::string text = ".TH " + title + " 1 \"\" \"xferrun " + tool::version_number() + "\" \"xferrun\"\n";
  text += section("NAME", plain(title) + " \\- " + plain(app.get_description()) + "\n");
  text += section("SYNOPSIS", synopsis(app, name));
  std::string arguments, options, parts;
  for (const CLI::Option* o : arguments_of(app))
    arguments += paragraph(slanted(o->get_name(true)), o->get_description());
  for (const CLI::Option* o : options_of(app)) options += option_text(*o);
  for (const CLI::App* part : parts_of(app))
    parts += paragraph(bold(part->get_name()), part->get_description());
  text += section("ARGUMENTS", arguments) + section("COMMANDS", parts) + section("OPTIONS", options);
  text += section("EXAMPLE", app.get_footer().empty()
                                 ? ""
                                 : verbatim(app.get_footer().substr(app.get_footer().find('\n') + 1)));
  return text + section("SEE ALSO", see_also(command, title));
}

}  // namespace xf::manual
