// SPDX-License-Identifier: Apache-2.0
// Where the lanes of a warp that a branch parted meet again.
#pragma once

#include <vector>

#include "ptx/kernel.h"

namespace gpueval::ptx {

// Sets `reconverge` of every branch: the first instruction that all ways from it to the end share, its immediate
// post-dominator, as GPUs do; the number of instructions where there is none.
void find_reconvergence(std::vector<Instruction>& code);

}  // namespace gpueval::ptx
