// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/options.h"

namespace gpueval::cli {

// Usage error for what breaks a rule of rules.inc, and for what the device cannot do.
void check_options(const Options& options);

}  // namespace gpueval::cli
