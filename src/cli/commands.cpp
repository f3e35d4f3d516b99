// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"

namespace gpueval::cli {

std::span<const Command> commands() {
  static constexpr Command kAll[] = {
#define GPUEVAL_COMMAND(set, name, run, uses, help, examples) {set, name, run, Uses::uses, help, examples},
#include "cli/commands.inc"
  };
  return kAll;
}

}  // namespace gpueval::cli
