// SPDX-License-Identifier: Apache-2.0
// The interface of the depthwise kernels. Included by translation units with their own -m flags: plain structs only.
#pragma once

#include "cpu/int8/tile.h"

namespace gpueval::cpu {

// One output row, channels [0, channels) from `src` rows that already point at the first channel.
struct DepthwiseRow {
  const std::byte* const* rows = nullptr;  // kernel_h source rows; nullptr outside the image
  std::int64_t pixel_bytes = 0;
  int w = 0;  // source columns
  int q = 0;  // output columns
  int kernel_h = 1, kernel_w = 1, stride_w = 1, pad_left = 0;
  bool src_s8 = false;
  std::uint8_t pad = 0;  // what padded taps hold: the zero point
  int channels = 0;
  const std::byte* weights = nullptr;  // DepthwiseSet's order, from the first channel's block on
  const std::int32_t* start = nullptr;
  const float* m = nullptr;
  const float* b = nullptr;
  std::byte* dst = nullptr;  // pitches are bytes from column to column
  std::int64_t dst_pitch = 0;
  const std::byte* residual = nullptr;
  std::int64_t residual_pitch = 0;
  const Epilogue* epilogue = nullptr;
  // For the row pairs: `rows` has one more row, and the second output row, if there is one, lies dst_row_bytes behind.
  int output_rows = 1;
  std::int64_t dst_row_bytes = 0;
};

// Weights are packed as [channel block][tap group][lane][tap of the group]; taps run down the columns of the kernel
// (r fastest), each column padded to whole groups if `by_column`.
struct DepthwiseSet {
  int block;                        // channels of one block
  int group;                        // taps multiplied in one step
  int element_bytes;                // of a packed weight
  bool biased;                      // s8 sources are read as x + 128
  int (*weight_channel)(int lane);  // channel within the block of a lane of the weights
  bool shuffled;                    // start, m and b are in lane_channel() order, too; else in channel order
  bool by_column;
  void (*row)(const DepthwiseRow& row);
  // Several pixels in one block, for few channels: source, destination and residual dense, stride 1, constants repeated
  // to fill the block. nullptr where there is no such kernel.
  void (*flat_row)(const DepthwiseRow& row);
  void (*flat_row_stride2)(const DepthwiseRow& row);  // the same for 3x3, stride 2, channels a multiple of 8
  // Two output rows at once: 3x3, stride 1, integer output, no residual. nullptr where there is no such kernel.
  void (*row_pair)(const DepthwiseRow& row);
  void (*flat_row_pair)(const DepthwiseRow& row);
};

extern const DepthwiseSet kDepthwisePortable;
#if defined(__x86_64__)
extern const DepthwiseSet kDepthwiseAvx2;
extern const DepthwiseSet kDepthwiseAvx512Vnni;
#endif

}  // namespace gpueval::cpu
