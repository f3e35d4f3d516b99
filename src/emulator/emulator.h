// SPDX-License-Identifier: Apache-2.0
// Runs CUDA kernels on the host: each thread of a block is a fiber, one warp runs up to its barrier before the next one
// starts (round robin would hide missing barriers), blocks run on all cores. docs/emulator.md has the design.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

namespace gpueval::emulator {

struct Dim3 {
  unsigned x = 1, y = 1, z = 1;
  bool operator==(const Dim3&) const = default;
};

// The order of the blocks, of the warps in a block and of the lanes in a warp.
enum class Schedule { kAscending, kDescending, kRandom };

struct Options {
  Schedule schedule = Schedule::kAscending;
  bool late_copies = true;     // cp.async takes place at the wait (as late as allowed), a bulk copy when no thread can
                               // go on without one; false: at once
  bool late_products = false;  // wgmma reads shared memory at its wait; false: at once
  std::uint64_t seed = 1;      // of kRandom, and of the bytes that shared memory starts with
};
void set_options(const Options& options);  // process-wide, between launches
Options options();

// Runs body once for every thread of the grid. shared_bytes: size of each block's arena. Throws Error naming the
// kernel, block and thread: divergent barrier, deadlock, shared access out of bounds or misaligned, warp collective
// with different masks, mismatched collectives, cp.async or wgmma left unwaited at the end of the
// thread, misuse of wgmma, mbarriers and bulk copies (docs/emulator.md).
void run(const char* kernel, Dim3 grid, Dim3 block, std::size_t shared_bytes, const std::function<void()>& body);

}  // namespace gpueval::emulator
