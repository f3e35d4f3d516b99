// SPDX-License-Identifier: Apache-2.0
// How a convolution is cut into tasks: pixel blocks x channel groups. A pure function of the shape, the threads and the
// cache sizes; results never depend on it.
#pragma once

#include <cstdint>

#include "cpu/int8/isa.h"

namespace gpueval::cpu {

struct ConvWork {
  std::int64_t pixels = 1;  // output pixels, all images
  int blocks = 1;           // channel blocks
  int rows = 1;             // pixels of the tallest tile
  int taps = 1;
  std::int64_t pixel_bytes = 1;  // source bytes that a new output pixel brings into the cache
  std::int64_t block_bytes = 1;  // weights of one channel block
  int threads = 1;
  // Multiply-adds in the time in which a byte comes from beyond the core's own caches; 0: bytes cost nothing.
  double macs_per_byte = 0;
};

struct ConvSplit {
  std::int64_t pixel_block = 1;  // output pixels of a task; the last one may have fewer
  std::int64_t pixel_blocks = 1;
  int channel_groups = 1;
  std::int64_t tasks() const { return pixel_blocks * channel_groups; }
  // Blocks [first, last) of a group.
  int group_begin(int group, int blocks) const {
    return static_cast<int>(std::int64_t{group} * blocks / channel_groups);
  }
};

ConvSplit split_conv(const ConvWork& work, const CacheSizes& caches);

}  // namespace gpueval::cpu
