// SPDX-License-Identifier: Apache-2.0
#include "program/help_text.h"

#include <sstream>

#include "report/text_table.h"

namespace gpueval {
namespace {

// Name and type, then the help in a column of its own.
std::string entry(const std::string& name, const std::string& help) {
  const std::string indent(HelpText::kColumn, ' ');
  std::string text = "  " + name;
  text += text.size() + 2 > HelpText::kColumn ? '\n' + indent : std::string(HelpText::kColumn - text.size(), ' ');
  const std::string lines = wrapped(help, HelpText::kWidth - HelpText::kColumn, 0);
  for (const char c : lines) {
    text += c;
    if (c == '\n') text += indent;
  }
  return text.substr(0, text.size() - indent.size());
}

}  // namespace

std::string HelpText::make_option(const CLI::Option* option, bool is_positional) const {
  std::string name = option->get_name(is_positional, !is_positional);
  name = name.substr(0, name.find('{'));  // a flag's value
  if (option->get_type_size() != 0 && !is_positional) name += ' ' + option->get_type_name();
  return entry(name, option->get_description());
}

std::string HelpText::make_group(std::string group, bool is_positional, std::vector<const CLI::Option*> options) const {
  return CLI::Formatter::make_group(std::move(group), is_positional, std::move(options))
      .substr(1);  // no second empty line
}

std::string HelpText::make_usage(const CLI::App* app, std::string name) const {
  std::string text = "Usage: " + name;
  for (const CLI::Option* positional : app->get_options([](const CLI::Option* o) { return o->get_positional(); }))
    text += ' ' + positional->get_name(true);
  const bool commands = !app->get_subcommands([](const CLI::App*) { return true; }).empty();
  return text + (commands ? " [OPTIONS]   or   " + name + " COMMAND [OPTIONS]\n\n" : " [OPTIONS]\n\n");
}

// Examples stay as they are; sentences are wrapped.
std::string HelpText::make_footer(const CLI::App* app) const {
  std::string text, line;
  std::istringstream lines(app->get_footer());
  while (std::getline(lines, line)) text += line.starts_with(' ') ? line + '\n' : wrapped(line, kWidth, 0);
  return text;
}

std::string HelpText::make_subcommand(const CLI::App* sub) const {
  return entry(sub->get_name(), sub->get_description());
}

}  // namespace gpueval
