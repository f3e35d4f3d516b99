// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace gpueval {

// Worker threads of the CPU backend, decoding and packing: 0 = all cores that the process may use, or as many as its
// CPU quota allows (rounded up). Process-wide; OMP_THREAD_LIMIT holds. On a worker itself threads() is 1.
void set_threads(int count);
int threads();

}  // namespace gpueval
