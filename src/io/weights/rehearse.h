// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace gpueval {

// Runs task in a child process of bounded memory and CPU time, and returns once it has ended well. libhdf5 1.10
// crashes, loops for ever or allocates without bound on some damaged files (tests/fuzz/fuzz_hdf5 finds one in seconds);
// so a file's structure is read in a child first, and in this process only after the child has come through. Throws the
// task's own Error, or one saying that the file `name` of `bytes` bytes is damaged if the child died.
void rehearse(const std::string& name, std::uint64_t bytes, const std::function<void()>& task);

}  // namespace gpueval
