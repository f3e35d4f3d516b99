// SPDX-License-Identifier: Apache-2.0
// Tiled implicit GEMM by dp4a for few output channels (tiling and shared-memory map: dp4a_tile.h). 128 threads of 8 x 4
// outputs: layers with up to 32 channels, as SqueezeNet's squeeze layers, waste no columns.
#include "cuda/conv/dp4a_tile.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

struct Tile {
  static constexpr char kName[] = "conv_s8_dp4a_128x32x32";
  static constexpr Dp4aTile kTile{.rows = 128, .channels = 32, .thread_channels = 4};
};

}  // namespace

extern const cuda::ConvKernel conv_s8_dp4a_128x32x32 = dp4a_row<Tile>();

}  // namespace gpueval::GPUEVAL_TARGET
