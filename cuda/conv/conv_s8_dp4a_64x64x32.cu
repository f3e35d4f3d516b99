// SPDX-License-Identifier: Apache-2.0
// Tiled implicit GEMM by dp4a for middle-sized maps (tiling and shared-memory map: dp4a_tile.h). 128 threads of 8 x 4
// outputs: half the reuse of 128x64, but twice the blocks, so a map of a few thousand pixels still fills the device.
#include "cuda/conv/dp4a_tile.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

struct Tile {
  static constexpr char kName[] = "conv_s8_dp4a_64x64x32";
  static constexpr Dp4aTile kTile{.rows = 64, .channels = 64, .thread_channels = 4};
};

}  // namespace

extern const cuda::ConvKernel conv_s8_dp4a_64x64x32 = dp4a_row<Tile>();

}  // namespace gpueval::GPUEVAL_TARGET
