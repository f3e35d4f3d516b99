// SPDX-License-Identifier: Apache-2.0
// Preconditions of the integer, copying and image operations, each an Error naming the operation, what it expects and
// what it found. In a host file: nvcc does not take fmt's checked format strings.
#pragma once

#include <cstdint>

#include "cuda/ops/ops.h"

namespace gpueval::cuda {

void expect_integer(const char* op, const DeviceView& view);                    // u8 or s8
void expect_type(const char* op, DType type, const DeviceView& view);           // that type
void expect_shape(const char* op, const Shape& shape, const DeviceView& view);  // that shape
void expect_inside(const char* op, const DeviceView& src, const DeviceView& dst, int top, int left);
// Extents of dst's or 1, but for the images, and at least one source's extent is dst's.
void expect_broadcast(const char* op, const DeviceView& a, const DeviceView& b, const DeviceView& dst);
void expect_alike(const char* op, const DeviceView& src, const DeviceView& dst);   // one type, as many images
void expect_images(const char* op, const DeviceView& rgb, const DeviceView& dst);  // u8 and 3 channels into 3 channels
// Blocks for that many threads; Error if there are none or a 32-bit index cannot count them.
unsigned blocks_for(const char* op, std::int64_t threads, unsigned block_threads);

}  // namespace gpueval::cuda
