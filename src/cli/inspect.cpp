// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/option_groups.h"
#include "cli/terminal.h"
#include "gpueval/error.h"
#include "gpueval/keras.h"
#include "gpueval/report.h"

namespace gpueval::cli {
namespace {

void define_inspect(CLI::App& app, Options& o) {
  app.add_option("FILE", o.positional, "a full model that Keras saved: .keras, .h5");
  Section(app, "Network")
      .option("--input-size", o.input_size, "HxW", "where the network leaves it open, or in place of its own");
}

void check_inspect(const CLI::App&, Options& o) {
  if (o.positional.size() != 1) fail_usage("inspect: expected one file, found {}", o.positional.size());
}

int run_inspect(const Options& o) {
  KerasOptions options{.input = {}, .weights = false};
  if (!o.input_size.empty()) options.input = parse_input_size(o.input_size);
  print_lines(to_text(import_keras(o.positional.front(), options)));
  return 0;
}

}  // namespace

const Command kInspect{
    "inspect",
    "the layers of a network that Keras saved, and what int8 does with them",
    define_inspect,
    check_inspect,
    run_inspect,
    "  gpu_eval inspect my_model.keras\n  gpu_eval inspect fully_convolutional.keras --input-size 512x512"};

}  // namespace gpueval::cli
