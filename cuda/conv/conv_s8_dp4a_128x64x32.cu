// SPDX-License-Identifier: Apache-2.0
// Tiled implicit GEMM by dp4a for large maps (tiling and shared-memory map: dp4a_tile.h). 128 threads of 8 x 8 outputs:
// of every 4 shared loads come 64 dp4a, as many as a multiprocessor's registers allow.
#include "cuda/conv/dp4a_tile.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

struct Tile {
  static constexpr char kName[] = "conv_s8_dp4a_128x64x32";
  static constexpr Dp4aTile kTile{.rows = 128, .channels = 64, .thread_channels = 8};
};

}  // namespace

extern const cuda::ConvKernel conv_s8_dp4a_128x64x32 = dp4a_row<Tile>();

}  // namespace gpueval::GPUEVAL_TARGET
