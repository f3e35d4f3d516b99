// SPDX-License-Identifier: Apache-2.0
#include "cli/run.h"
#include "core/spin_limit.h"
#include "program/terminal.h"

int main(int argc, char** argv) {
  gpueval::hold_standard_streams();
  gpueval::limit_spinning(argv);
  return gpueval::cli::run(argc, argv);
}
