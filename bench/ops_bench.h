// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace gpueval::bench {

// Registers the integer operations between convolutions with Google Benchmark; their times show in its own output only.
void register_ops();

}  // namespace gpueval::bench
