// SPDX-License-Identifier: Apache-2.0
// What cuda/prim/ calls inside a running kernel. Offsets are bytes in the block's shared arena.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/tensor_map.h"
#include "emulator/emulator.h"

namespace gpueval::emulator::device {

// The running thread and its block. Inline readers, one thread_local pointer: kernels ask for these all the time.
struct Context {
  const Dim3* thread = nullptr;
  Dim3 block, block_size, grid;
  std::byte* arena = nullptr;
  std::size_t arena_bytes = 0;
  // Who wrote each 16 bytes of the arena last, and after how many fences (Machine::sees_async_proxy); what to note
  // there.
  std::uint32_t* writers = nullptr;
  std::uint32_t writer = 0;
};
// In place of a writer: a bulk copy is on its way there.
inline constexpr std::uint32_t kFilling = 0xffffffffu;
extern constinit thread_local Context* context;  // set while a kernel runs on this host thread

inline const Dim3& thread_index() { return *context->thread; }
inline const Dim3& block_index() { return context->block; }
inline const Dim3& block_size() { return context->block_size; }
inline const Dim3& grid_size() { return context->grid; }

// __syncthreads: every thread of the block that has not returned, at the same place in the code.
void block_barrier(const char* file = __builtin_FILE(), unsigned line = __builtin_LINE());
void warp_barrier(unsigned mask);
void wait_for_previous_kernel();  // cuda/prim/previous_kernel.h
// bar.sync id, threads: that many threads of the block, in whole warps, at the same place in the code.
void named_barrier(unsigned id, unsigned threads, const char* file, unsigned line);

std::uint32_t shuffle_xor(unsigned mask, std::uint32_t value, int lanes);
std::uint32_t shuffle(unsigned mask, std::uint32_t value, int from_lane);
unsigned ballot(unsigned mask, bool predicate);

[[noreturn]] void fail_shared(std::uint32_t offset, std::size_t bytes, std::size_t alignment);
[[noreturn]] void fail_filling(std::uint32_t offset);
[[noreturn]] void fail_index(std::uint32_t index, std::uint32_t count);
[[noreturn]] void fail_alignment(const void* address, std::size_t alignment);

// The checked address of an offset. The arena is 1024-byte aligned, so the offset's alignment is the address's. Whether
// it is read or written there is not seen: it counts as written.
inline std::byte* shared(std::uint32_t offset, std::size_t bytes, std::size_t alignment) {
  const Context& c = *context;
  if (offset + bytes > c.arena_bytes || (offset & (alignment - 1)) != 0) fail_shared(offset, bytes, alignment);
  if (c.writers[offset / 16] == kFilling) fail_filling(offset);
  c.writers[offset / 16] = c.writer;
  return c.arena + offset;
}
inline void check_index(std::uint32_t index, std::uint32_t count) {
  if (index >= count) fail_index(index, count);
}
inline void check_alignment(const void* address, std::size_t alignment) {
  if ((reinterpret_cast<std::uintptr_t>(address) & (alignment - 1)) != 0) fail_alignment(address, alignment);
}

inline int dp4a(std::uint32_t a, std::uint32_t b, int c, bool unsigned_a) {
  int sum = 0;
  for (int i = 0; i < 32; i += 8) {
    const int x = unsigned_a ? static_cast<std::uint8_t>(a >> i) : static_cast<std::int8_t>(a >> i);
    sum += x * static_cast<std::int8_t>(b >> i);
  }
  return static_cast<int>(static_cast<unsigned>(c) + static_cast<unsigned>(sum));
}
void ldmatrix_x4(std::uint32_t (&r)[4], std::uint32_t offset);
void mma_m16n8k32(int (&acc)[4], const std::uint32_t (&a)[4], std::uint32_t b0, std::uint32_t b1, bool unsigned_a);
void mma_m8n8k16(int (&acc)[2], std::uint32_t a, std::uint32_t b, bool unsigned_a);

void cp_async_4(std::uint32_t offset, const void* src, bool valid);
void cp_async_16(std::uint32_t offset, const void* src, bool valid);
void cp_async_commit();
void cp_async_wait(int pending);

// cuda/prim/async_proxy.h, cuda/prim/wgmma.h. acc: columns / 2 accumulators of the calling lane.
void async_proxy_fence();
void wgmma_fence();
void wgmma(int* acc, int columns, std::uint64_t a, std::uint64_t b, bool unsigned_a);
void wgmma_commit();
void wgmma_wait(int pending);

// cuda/prim/mbarrier.h: barrier: its byte offset. mbarrier_wait returns when the phase of that parity is over.
void mbarrier_init(std::uint32_t barrier, std::uint32_t arrivals);
void mbarrier_arrive(std::uint32_t barrier);
void mbarrier_arrive_expect(std::uint32_t barrier, std::uint32_t bytes);
void mbarrier_wait(std::uint32_t barrier, unsigned parity, const char* file, unsigned line);

// cuda/prim/tma.h: to shared memory, by the asynchronous proxy; the barrier is told all bytes of the box. at: the
// coordinates of the box's first element, as many as the map has dimensions; tap: of im2col, W and H.
void bulk_copy(std::uint32_t offset, const void* src, std::uint32_t bytes, std::uint32_t barrier);
void bulk_copy_box(std::uint32_t offset, const TensorMapFields& map, const std::int32_t (&at)[4],
                   const std::uint16_t (&tap)[2], std::uint32_t barrier);

}  // namespace gpueval::emulator::device
