// SPDX-License-Identifier: Apache-2.0
// The tables of the command line: what a row of options.inc, rules.inc or commands.inc says reaches the user.
#include <algorithm>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>

#include "cli/option_rows.h"
#include "program.h"

namespace gpueval::test {
namespace {

using cli::Command;
using cli::OptionRow;

// One space between two words, wherever the lines break.
std::string words(const std::string& text) { return std::regex_replace(text, std::regex(R"(\s+)"), " "); }

bool has(const OptionRow& row, const Command& command) { return (row.commands & command.set) != 0; }

std::string source(const std::string& name) {
  std::ifstream file(std::string(GPUEVAL_SOURCE_DIR) + "/src/cli/" + name);
  return {std::istreambuf_iterator<char>(file), {}};
}

class Tables : public ProgramTest {};

TEST_F(Tables, EachOptionIsInTheHelpOfItsCommandsAlone) {
  std::size_t shown = 0;
  for (const Command& command : cli::commands()) {
    const Outcome outcome = *command.name == 0 ? run({"--help"}) : run({command.name, "--help"});
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    const std::string help = words(outcome.out);
    for (const OptionRow& row : cli::option_rows()) {
      const std::string name = row.name;
      if (!name.starts_with("--") || std::string(row.heading) == cli::kHidden) continue;
      const std::string help_of_row = words(row.help);
      EXPECT_EQ(
          help.find(' ' + help_of_row + ' ') != std::string::npos && help.find(' ' + name + ' ') != std::string::npos,
          has(row, command))
          << command.call() << " " << name << ": " << help_of_row;
      if (!has(row, command)) continue;
      EXPECT_NE(outcome.out.find('\n' + std::string(row.heading) + ":\n"), std::string::npos) << row.heading;
      ++shown;
    }
  }
  EXPECT_GT(shown, 150u);
}

TEST_F(Tables, EachCommandIsInTheHelpOfAll) {
  const std::string help = words(run({"--help"}).out);
  for (const Command& command : cli::commands().subspan(1))
    EXPECT_NE(help.find(words(std::string(command.name) + ' ' + command.help)), std::string::npos) << command.name;
}

TEST(OptionRows, AreOfSomeCommandAndHaveOneNameEach) {
  for (const Command& command : cli::commands()) {
    std::set<std::string> names;
    for (const OptionRow& row : cli::option_rows()) {
      EXPECT_NE(row.commands, 0u) << row.name;
      if (has(row, command) && *row.name != 0) {
        EXPECT_TRUE(names.insert(row.name).second) << command.call() << " has two rows " << row.name;
      }
    }
  }
}

// A rule of an option that is misspelt would never be broken.
TEST(Rules, NameOptionsThatThereAre) {
  std::set<std::string> known;
  for (const OptionRow& row : cli::option_rows()) known.insert(row.name);
  const std::string rules = source("rules.inc");
  const std::regex option("\"(--[a-z-]+)\"");
  std::size_t found = 0;
  for (std::sregex_iterator it(rules.begin(), rules.end(), option), end; it != end; ++it, ++found)
    EXPECT_TRUE(known.contains((*it)[1])) << (*it)[1];
  EXPECT_GT(found, 20u);
}

// What is no command line is the library's: other programs have a use for it.
TEST(CommandLineSource, StaysSmall) {
  std::size_t files = 0, lines = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(GPUEVAL_SOURCE_DIR) + "/src/cli")) {
    if (entry.path().extension() != ".cpp") continue;
    const std::string text = source(entry.path().filename().string());
    lines += static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
    ++files;
  }
  EXPECT_GT(files, 10u);
  EXPECT_LT(lines, 900u);
}

}  // namespace
}  // namespace gpueval::test
