// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace gpueval::cli {

// The whole program: parses, runs, prints errors as one line on stderr. Returns the exit status.
int run(int argc, const char* const* argv);

}  // namespace gpueval::cli
