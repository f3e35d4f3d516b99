// SPDX-License-Identifier: Apache-2.0
// The files that a command writes.
#pragma once

#include "cli/options.h"

namespace gpueval::cli {

// Before anything is read or measured. Usage errors: two outputs in one place, an output over a file that is read, a
// name that says another format. Error with the system's reason: a place that cannot be written. --json, --html and
// --markdown may be "-", standard output; /dev/stdout becomes that. Refuses --resume without a place for its journal.
void settle_outputs(Options& options);

// One of them is "-": then stdout holds that alone, and the table is left out.
bool prints_form(const Options& options);

}  // namespace gpueval::cli
