// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "cli/commands.h"

namespace gpueval::cli {

// A command line as CLI11 understood it.
struct Parsed {
  std::unique_ptr<CLI::App> app;  // of all commands; keeps what `command_app` points to
  const CLI::App* command_app = nullptr;
  Options options;
  std::string text;  // of --help or --version, to be printed instead
};
// Throws Error (usage) naming the option.
std::unique_ptr<Parsed> parse(int argc, const char* const* argv);

}  // namespace gpueval::cli
