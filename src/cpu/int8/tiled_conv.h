// SPDX-License-Identifier: Apache-2.0
// Direct convolution by register tiles, one driver for all ISA levels. No im2col: a task takes a run of output pixels,
// writes the table of their source addresses (tap_table.h) and passes its channel blocks over it.
//
// Sources that the tiles cannot read in place (s8 for the u8 instruction, 16-bit tiles, channels that do not fill a
// group) are converted first: a task's own pixels for 1x1, whole images otherwise. The first layer (few channels, wide
// kernel) is copied into zero-bordered rows, where a kernel row is one contiguous run.
#pragma once

#include <memory>
#include <string>

#include "cpu/int8/int8_conv.h"
#include "cpu/int8/tile.h"

namespace gpueval::cpu {

std::unique_ptr<Int8Conv> make_tiled_conv(const Int8ConvParams& params, const TileSet& tiles, RunShape runs,
                                          const std::string& name);

}  // namespace gpueval::cpu
