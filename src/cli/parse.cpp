// SPDX-License-Identifier: Apache-2.0
#include "cli/parse.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "cli/option_rows.h"
#include "core/near_miss.h"
#include "gpueval/error.h"
#include "program/help_text.h"

namespace gpueval::cli {
namespace {

const CLI::App& app_of(const Parsed& parsed, const Command& command) {
  return *command.name == 0 ? *parsed.app : *parsed.app->get_subcommand(command.name);
}

// An option that other commands have, or one that nearly is one.
std::string hint(const Parsed& parsed, const std::string& option) {
  std::vector<std::string> owners, names;
  for (const Command& command : commands()) {
    if (app_of(parsed, command).get_option_no_throw(option) != nullptr) owners.push_back(command.call());
  }
  if (!owners.empty()) return fmt::format("; {} {} it", fmt::join(owners, ", "), owners.size() == 1 ? "has" : "have");
  for (const CLI::Option* known : parsed.command_app->get_options()) names.push_back(known->get_name());
  return did_you_mean(option, names);
}

// Names the first unknown option, or else the first argument too many.
[[noreturn]] void fail_extras(const Parsed& parsed) {
  const std::vector<std::string> extras = parsed.app->remaining(true);
  const std::string help = parsed.options.command->call() + " --help";
  for (const std::string& text : extras) {
    if (!text.starts_with("-")) continue;
    const std::string option = text.substr(0, text.find('='));
    fail_usage("unknown option {}: `{}` lists what it has{}", option, help, hint(parsed, option));
  }
  std::vector<std::string> names;
  for (const Command& command : commands()) names.emplace_back(command.name);
  const std::string extra = extras.empty() ? "" : extras.front();
  fail_usage("unexpected argument '{}': `{}` shows the usage{}", extra, help, did_you_mean(extra, names));
}

// CLI11 gives no name to an option that is not in --help.
std::string name_of(const CLI::Option& option) {
  return option.get_positional() ? option.get_name() : "--" + option.get_lnames().front();
}

void record_given(Parsed& parsed) {
  for (const CLI::Option* option : parsed.command_app->get_options()) {
    if (option->count() > 0) parsed.options.given.insert(name_of(*option));
  }
  if (parsed.command_app == parsed.app.get()) return;
  for (const CLI::Option* option : parsed.app->get_options()) {
    if (option->count() > 0)
      fail_usage("{} contradicts {}, whose options follow it: `{} --help` lists them", name_of(*option),
                 parsed.options.command->name, parsed.options.command->call());
  }
}

// CLI11 passes over empty elements of a list.
void check_lists(int argc, const char* const* argv, const CLI::App& app) {
  for (int i = 1; i < argc; ++i) {
    const std::string text = argv[i];
    const std::size_t equal = text.find('=');
    const CLI::Option* option = app.get_option_no_throw(text.substr(0, equal));
    if (option == nullptr || option->get_delimiter() != ',' || (equal == std::string::npos && i + 1 == argc)) continue;
    const std::string list = ',' + (equal == std::string::npos ? argv[i + 1] : text.substr(equal + 1)) + ',';
    if (list.find(",,") != std::string::npos) fail_usage("{}: found '' in its list", option->get_name());
  }
}

void define(Parsed& parsed, std::vector<Options>& options) {
  const ToolInfo tool = tool_info();
  parsed.app = std::make_unique<CLI::App>(
      "Accuracy and speed of CNNs in float32 and int8, measured on your own machine.", "gpu_eval");
  CLI::App& app = *parsed.app;
  app.set_help_flag("--help,-h", "print this help and exit");
  app.set_version_flag("--version", fmt::format("gpu_eval {} ({})", tool.version, tool.revision),
                       "print version and revision and exit");
  app.require_subcommand(0, 1);
  app.formatter(std::make_shared<HelpText>());
  for (std::size_t i = 0; i < options.size(); ++i) {
    const Command& command = commands()[i];
    CLI::App& of = i == 0 ? app : *app.add_subcommand(command.name, command.help)->group("Commands");
    options[i].command = &command;
    define_options(of, command, options[i]);
    of.footer(command.examples);
  }
}

}  // namespace

std::unique_ptr<Parsed> parse(int argc, const char* const* argv) {
  auto parsed = std::make_unique<Parsed>();
  std::vector<Options> options(commands().size());  // each command has its own defaults
  define(*parsed, options);
  const CLI::App& app = *parsed->app;
  std::optional<Error> problem;
  try {
    parsed->app->parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    parsed->text = app.help() + '\n';
  } catch (const CLI::CallForVersion& version) {
    parsed->text = std::string(version.what()) + '\n';
  } catch (const CLI::ExtrasError&) {
  } catch (const CLI::ParseError& error) {
    problem.emplace(error.what(), ErrorKind::kUsage);
  }
  for (std::size_t i = 0; i < options.size(); ++i) {
    const CLI::App& of = app_of(*parsed, commands()[i]);
    if (i > 0 && !of.parsed()) continue;
    parsed->command_app = &of;
    parsed->options = std::move(options[i]);
  }
  if (!parsed->text.empty()) return parsed;
  if (problem) throw *problem;
  if (app.remaining_size(true) > 0) fail_extras(*parsed);
  check_lists(argc, argv, *parsed->command_app);
  record_given(*parsed);
  for (int i = 0; i < argc; ++i) parsed->options.command_line += (i == 0 ? "gpu_eval" : std::string(" ") + argv[i]);
  return parsed;
}

}  // namespace gpueval::cli
