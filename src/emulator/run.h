// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "emulator/machine.h"

namespace gpueval::emulator {

void check_launch(const Launch& launch);  // Error for a grid or block that no device has
// All blocks but those that are done.
void run(const Launch& launch, std::span<const std::uint64_t> done = {});

}  // namespace gpueval::emulator
