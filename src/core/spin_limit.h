// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace gpueval {

// libgomp's threads spin for up to some 16 ms at every barrier. When another process wants the core, that is a time
// slice lost in every layer (measured: MobileNet 0.25 at 2 images/s instead of 900 on a busy 2-core machine). Its limit
// is read once, when the library is loaded: main() calls this first, which sets it and starts the program again.
// Does nothing if OMP_WAIT_POLICY or GOMP_SPINCOUNT is set already.
void limit_spinning(char** argv);

}  // namespace gpueval
