// SPDX-License-Identifier: Apache-2.0
// Copies to shared memory by the tensor memory accelerator (sm_90): one thread starts one, the mbarrier is told its
// bytes, those of a box all of them, zeros outside of the tensor included. What was read or written there by threads
// needs async_proxy_fence() first; wgmma reads what has come without one. The block must not end before they are done.
#pragma once

#include "cuda/prim/mbarrier.h"
#include "cuda/runtime/tensor_map.h"
#if !defined(__CUDACC__)
#include <cstring>
#endif

namespace gpueval::GPUEVAL_TARGET {

#if defined(__CUDACC__)
// Offset, address and size: multiples of 16.
GPUEVAL_DEVICE void tma_copy(std::uint32_t offset, const void* src, std::uint32_t bytes, std::uint32_t barrier) {
  asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(
                   shared_address(offset)),
               "l"(__cvta_generic_to_global(src)), "r"(bytes), "r"(shared_address(barrier))
               : "memory");
}
// The box of a matrix whose first element is (row, column). The map: a parameter of the kernel (GPUEVAL_GRID_CONSTANT).
GPUEVAL_DEVICE void tma_copy_tile(std::uint32_t offset, const cuda::TensorMap& map, int row, int column,
                                  std::uint32_t barrier) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3}], "
      "[%4];" ::"r"(shared_address(offset)),
      "l"(&map), "r"(column), "r"(row), "r"(shared_address(barrier))
      : "memory");
}
// Of a map {C, W, H, N}: the pixels from (left, top) of the image on, 128 channels from `channel` on, each shifted by
// the tap (s, r).
GPUEVAL_DEVICE void tma_copy_pixels(std::uint32_t offset, const cuda::TensorMap& map, int channel, int left, int top,
                                    int image, int s, int r, std::uint32_t barrier) {
  asm volatile(
      "cp.async.bulk.tensor.4d.shared::cluster.global.im2col.mbarrier::complete_tx::bytes [%0], "
      "[%1, {%2, %3, %4, %5}], [%6], {%7, %8};" ::"r"(shared_address(offset)),
      "l"(&map), "r"(channel), "r"(left), "r"(top), "r"(image), "r"(shared_address(barrier)),
      "h"(static_cast<std::uint16_t>(s)), "h"(static_cast<std::uint16_t>(r))
      : "memory");
}
#else
inline void tma_copy(std::uint32_t offset, const void* src, std::uint32_t bytes, std::uint32_t barrier) {
  emulator::device::bulk_copy(offset, src, bytes, barrier);
}
inline void tma_copy_tile(std::uint32_t offset, const cuda::TensorMap& map, int row, int column,
                          std::uint32_t barrier) {
  emulator::device::bulk_copy_box(offset, fields_of(map), {column, row, 0, 0}, {0, 0}, barrier);
}
inline void tma_copy_pixels(std::uint32_t offset, const cuda::TensorMap& map, int channel, int left, int top, int image,
                            int s, int r, std::uint32_t barrier) {
  emulator::device::bulk_copy_box(offset, fields_of(map), {channel, left, top, image},
                                  {static_cast<std::uint16_t>(s), static_cast<std::uint16_t>(r)}, barrier);
}
#endif

}  // namespace gpueval::GPUEVAL_TARGET
