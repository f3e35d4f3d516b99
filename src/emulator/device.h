// SPDX-License-Identifier: Apache-2.0
// What cuda/prim/ calls inside a running kernel. Offsets are bytes in the block's shared arena.
#pragma once

#include <cstddef>
#include <cstdint>

#include "emulator/emulator.h"

namespace gpueval::emulator::device {

const Dim3& thread_index();
const Dim3& block_index();
const Dim3& block_size();
const Dim3& grid_size();

void block_barrier();  // __syncthreads: every thread of the block, at the same place in the code
void warp_barrier(unsigned mask);

std::uint32_t shuffle_xor(unsigned mask, std::uint32_t value, int lanes);
std::uint32_t shuffle(unsigned mask, std::uint32_t value, int from_lane);
unsigned ballot(unsigned mask, bool predicate);

std::byte* shared(std::uint32_t offset, std::size_t bytes, std::size_t alignment);  // checked
void check_index(std::uint32_t index, std::uint32_t count);
void check_alignment(const void* address, std::size_t alignment);

int dp4a(std::uint32_t a, std::uint32_t b, int c, bool unsigned_a);
void ldmatrix_x4(std::uint32_t (&r)[4], std::uint32_t offset);
void mma_m16n8k32(int (&acc)[4], const std::uint32_t (&a)[4], std::uint32_t b0, std::uint32_t b1, bool unsigned_a);
void mma_m8n8k16(int (&acc)[2], std::uint32_t a, std::uint32_t b, bool unsigned_a);

void cp_async_16(std::uint32_t offset, const void* src, bool valid);
void cp_async_commit();
void cp_async_wait(int pending);

}  // namespace gpueval::emulator::device
