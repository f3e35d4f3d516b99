// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace gpueval {

// --help of at most 100 columns.
class HelpText : public CLI::Formatter {
 public:
  HelpText() { column_width(kColumn); }
  std::string make_option(const CLI::Option* option, bool is_positional) const override;
  std::string make_group(std::string group, bool is_positional, std::vector<const CLI::Option*> options) const override;
  std::string make_usage(const CLI::App* app, std::string name) const override;
  std::string make_subcommand(const CLI::App* sub) const override;
  std::string make_footer(const CLI::App* app) const override;
  static constexpr std::size_t kColumn = 32, kWidth = 100;
};

}  // namespace gpueval
