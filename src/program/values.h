// SPDX-License-Identifier: Apache-2.0
// Checks of an option's value, for CLI11, whose message begins with the option's name.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

namespace gpueval {

inline CLI::Validator any() { return {}; }
CLI::Validator one_of(std::vector<std::string> values);  // with the nearest one for a value that is near it
CLI::Validator parsed_by(std::function<void(const std::string&)> parse);  // an Error is its message
CLI::Validator above_zero();
CLI::Validator zero_or_above();
CLI::Validator between(double least, double most);
CLI::Validator above_up_to(double above, double most);
CLI::Validator whole(long least, long most);
CLI::Validator auto_or(const CLI::Validator& other);  // the word "auto", too

}  // namespace gpueval
