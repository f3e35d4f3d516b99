// SPDX-License-Identifier: Apache-2.0
// The words in which commands define their options, on CLI11.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace gpueval::cli {

// Options under one heading of a command's --help.
class Section {
 public:
  Section(CLI::App& app, std::string title) : app_(app), title_(std::move(title)) {}

  // value: a number, a text, an optional of one, or a vector: then commas stand between its elements.
  template <typename T>
  CLI::Option* option(const std::string& name, T& value, const char* type, std::string help) {
    CLI::Option* option = app_.add_option(name, value, std::move(help))->group(title_)->type_name(type);
    if constexpr (requires { value.push_back(value.front()); } && !std::is_same_v<T, std::string>) {
      option->delimiter(',')->allow_extra_args(false);
    }
    return option;
  }
  CLI::Option* flag(const std::string& name, bool& value, std::string help) {
    return app_.add_flag(name, value, std::move(help))->group(title_);
  }

 private:
  CLI::App& app_;
  std::string title_;
};

// Checks of a value; the message of CLI11 begins with the option's name.
CLI::Validator one_of(std::vector<std::string> values);  // with the nearest one for a value that is near it
CLI::Validator parsed_by(std::function<void(const std::string&)> parse);  // an Error is its message
CLI::Validator above_zero();
CLI::Validator zero_or_above();
CLI::Validator between(double least, double most);
CLI::Validator above_up_to(double above, double most);
CLI::Validator whole(long least, long most);

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

}  // namespace gpueval::cli
