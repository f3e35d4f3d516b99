// SPDX-License-Identifier: Apache-2.0
// Runs a grid on the host's cores.
#pragma once

#include "ptx/block.h"

namespace gpueval::ptx {

// Throws Error: what a block did wrong.
void run(Launch& launch);

}  // namespace gpueval::ptx
