// SPDX-License-Identifier: Apache-2.0
// Where a thread is, and the barriers of block and warp.
#pragma once

#include "cuda/prim/target.h"
#if !defined(__CUDACC__)
#include "emulator/device.h"
#endif

namespace gpueval::GPUEVAL_TARGET {

struct Index3 {
  unsigned x, y, z;
};

#if defined(__CUDACC__)
GPUEVAL_DEVICE Index3 thread_index() { return {threadIdx.x, threadIdx.y, threadIdx.z}; }
GPUEVAL_DEVICE Index3 block_index() { return {blockIdx.x, blockIdx.y, blockIdx.z}; }
GPUEVAL_DEVICE Index3 block_size() { return {blockDim.x, blockDim.y, blockDim.z}; }
GPUEVAL_DEVICE Index3 grid_size() { return {gridDim.x, gridDim.y, gridDim.z}; }
GPUEVAL_DEVICE void block_barrier() { __syncthreads(); }
// Of so many threads, whole warps, of a block whose other warps do something else.
GPUEVAL_DEVICE void part_barrier(unsigned threads) { asm volatile("bar.sync 1, %0;" ::"r"(threads) : "memory"); }
GPUEVAL_DEVICE void warp_barrier(unsigned mask = 0xffffffffu) { __syncwarp(mask); }
#else
inline Index3 to_index(const emulator::Dim3& d) { return {d.x, d.y, d.z}; }
inline Index3 thread_index() { return to_index(emulator::device::thread_index()); }
inline Index3 block_index() { return to_index(emulator::device::block_index()); }
inline Index3 block_size() { return to_index(emulator::device::block_size()); }
inline Index3 grid_size() { return to_index(emulator::device::grid_size()); }
// The emulator tells barriers apart by the place of the call.
inline void block_barrier(const char* file = __builtin_FILE(), unsigned line = __builtin_LINE()) {
  emulator::device::block_barrier(file, line);
}
inline void part_barrier(unsigned threads, const char* file = __builtin_FILE(), unsigned line = __builtin_LINE()) {
  emulator::device::named_barrier(1, threads, file, line);
}
inline void warp_barrier(unsigned mask = 0xffffffffu) { emulator::device::warp_barrier(mask); }
#endif

}  // namespace gpueval::GPUEVAL_TARGET
