// SPDX-License-Identifier: Apache-2.0
// A tensor of bytes in device memory as the tensor memory accelerator of sm_90 walks it: what the driver encodes into
// the 128 bytes of a CUtensorMap, in plain numbers. Boxes land in shared memory with the 128-byte swizzle: rows of 128
// bytes whose 16-byte chunks are turned by bits 7 to 9 of the address. What lies outside of the tensor is zeros.
#pragma once

#include <cstdint>

namespace gpueval {

// The innermost dimension first.
struct TensorMapFields {
  const void* address = nullptr;  // multiple of 16
  std::uint64_t strides[3] = {};  // bytes to the next element of dimensions 1, 2, 3: multiples of 16
  std::uint32_t sizes[4] = {};    // elements
  std::uint32_t rank = 0;
  // Tiled (not im2col): elements of the box, the first 128. im2col, rank 4 {C, W, H, N}: box[0] channels (128) of
  // box[1] pixels, which are taken one after the other from the boxes of taps: those of W and H between lower and
  // upper, W first, every stride-th.
  std::uint32_t box[2] = {};
  bool im2col = false;
  std::int32_t lower[2] = {}, upper[2] = {};  // corners of the box of taps (0, 0), W and H: from 0, from size - 1
  std::uint32_t element_strides[2] = {1, 1};  // W and H
};

}  // namespace gpueval
