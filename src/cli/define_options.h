// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <string>

#include "cli/options.h"

namespace gpueval::cli {

// Values that need more than a conversion; split once parsing is done.
struct RawLists {
  std::string precisions = "float32,int8", percentiles = "50,90,99", float_layers;
  struct Switch {
    bool on = false, off = false;
  };
  std::map<std::string, Switch> corrections;
};

// Adds every option of a measurement, in the groups of --help. `options` and `raw` must outlive the parsing.
void define_options(CLI::App& app, Options& options, RawLists& raw);

}  // namespace gpueval::cli
