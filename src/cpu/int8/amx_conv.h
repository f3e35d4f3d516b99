// SPDX-License-Identifier: Apache-2.0
// Convolution on matrix tiles (Intel AMX): tasks of pixel tiles x channel blocks, see block_amx.cpp for the kernel and
// amx_line.h for how tiles find their pixels. 1x1 convolutions, and others without stride and padding, read the
// caller's tensor; the rest copies images into zero-bordered lines first. The first layer's lines have stride_w pixels
// side by side as one position, from which a kernel row is one run of the depth.
#pragma once

#include <memory>
#include <string>

#include "cpu/int8/int8_conv.h"
#include "cpu/int8/tile.h"

namespace gpueval::cpu {

std::unique_ptr<Int8Conv> make_amx_conv(const Int8ConvParams& params, RunShape runs, const std::string& name);

}  // namespace gpueval::cpu
