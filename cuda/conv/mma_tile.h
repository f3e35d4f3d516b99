// SPDX-License-Identifier: Apache-2.0
// Geometry of the tensor-core convolutions, shared by kernels, weight packing and tests: constexpr integers only.
// A convolution is a matrix product: rows = output pixels (n * P * Q), columns = output channels, depth = R * S * C
// bytes, cut into chunks of 16 bytes. A block computes one tile and takes `depth` bytes of it a step.
#pragma once

#include <cstdint>

namespace gpueval::cuda {

struct MmaTile {
  int m = 0, n = 0, depth = 0;  // rows, columns, bytes of depth a step
  int warps_m = 1, warps_n = 1;
  int stages = 2;
  bool prefetch = false;     // the fragments of the next 32 bytes are loaded before these are multiplied
  bool split_depth = false;  // the blocks of grid.z share the depth of a tile
  int blocks = 1;            // a multiprocessor has registers for at least that many
  bool persistent = false;   // a block computes one tile after the other, whose output has a place of its own
  bool producer = false;     // a warp more brings in the stages; each has two mbarriers behind everything else

  constexpr int threads() const { return warps_m * warps_n * 32; }  // that multiply
  constexpr int block_threads() const { return threads() + (producer ? 32 : 0); }
  constexpr int chunks() const { return depth / 16; }  // of a row in shared memory
  constexpr int warp_m() const { return m / warps_m; }
  constexpr int warp_n() const { return n / warps_n; }
  // Each thread copies one chunk column of every row_step()-th row.
  constexpr int row_step() const { return threads() / chunks(); }
  constexpr int source_copies() const { return m / row_step(); }
  constexpr int weight_copies() const { return (n + row_step() - 1) / row_step(); }  // the last by some threads only

  // Shared memory: stages x (source rows, weight rows), then m and b of the tile's channels. The output tile, one byte
  // an element, lies over the stages when they are done with, or behind them.
  constexpr std::uint32_t source_bytes() const { return static_cast<std::uint32_t>(m * depth); }
  constexpr std::uint32_t weight_bytes() const { return static_cast<std::uint32_t>(n * depth); }
  constexpr std::uint32_t stage_bytes() const { return source_bytes() + weight_bytes(); }
  constexpr std::uint32_t staged_bytes() const { return static_cast<std::uint32_t>(stages) * stage_bytes(); }
  constexpr std::uint32_t output_begin() const { return persistent ? staged_bytes() : 0; }
  constexpr std::uint32_t scale_offset() const {
    const std::uint32_t output_end = output_begin() + static_cast<std::uint32_t>(m * n);
    return staged_bytes() > output_end ? staged_bytes() : output_end;
  }
  constexpr std::uint32_t bias_offset() const { return scale_offset() + static_cast<std::uint32_t>(n) * 4; }
  // The residual can come as one more step.
  constexpr bool residual_fits_stage() const { return static_cast<std::uint32_t>(m * n) <= stage_bytes(); }
  constexpr std::uint32_t mbarrier_offset() const { return bias_offset() + static_cast<std::uint32_t>(n) * 4; }
  constexpr std::uint32_t shared_bytes() const {
    return mbarrier_offset() + (producer ? static_cast<std::uint32_t>(stages) * 16 : 0);
  }

  // Blocks that registers are to allow on a multiprocessor with that much shared memory: one if it has no room for two.
  constexpr int blocks_of(std::uint32_t multiprocessor_bytes) const {
    constexpr std::uint32_t kReserved = 1024;  // a block
    return multiprocessor_bytes < 2 * (shared_bytes() + kReserved) ? 1 : blocks;
  }

  // What the kernels take for granted. rows: of one fragment load, in source and weights.
  constexpr bool valid(int source_rows, int weight_rows) const {
    return (depth == 64 || depth == 128) && warp_m() % source_rows == 0 && warp_n() % weight_rows == 0 &&
           row_step() % 8 == 0 && m % row_step() == 0 && n >= 32 && (n & (n - 1)) == 0 && stages >= 2;
  }
};

// Where chunk `chunk` of a row lies in that row: 128 bytes of shared memory hold `lines` rows, and the rows of 8
// successive ones that share a bank group are turned against each other. Free of bank conflicts for ldmatrix (8 rows,
// one chunk), for copies (whole rows) and for the output tile (8 rows, 8 bytes of one chunk).
constexpr std::uint32_t swizzled_chunk(std::uint32_t row, std::uint32_t chunk, std::uint32_t chunks) {
  const std::uint32_t lines = chunks < 8 ? 8 / chunks : 1, turns = chunks < 8 ? chunks : 8;
  return chunk ^ ((row / lines) & (turns - 1));
}

// Byte offset of a chunk in a tile of rows.
constexpr std::uint32_t chunk_offset(std::uint32_t row, std::uint32_t chunk, std::uint32_t chunks) {
  return row * chunks * 16 + swizzled_chunk(row, chunk, chunks) * 16;
}

// Byte offset of an element of the output tile of n columns.
constexpr std::uint32_t output_offset(std::uint32_t row, std::uint32_t column, std::uint32_t n) {
  return chunk_offset(row, column / 16, n / 16) + column % 16;
}

// Row and chunk that a lane names to ldmatrix_x4, from the first row of the fragment and the first chunk of its depth.
struct LaneChunk {
  std::uint32_t row, chunk;
};
// m16n8k32, source: 16 rows x 32 bytes. Registers: rows 0-7, 8-15 of the first 16 bytes, then of the second.
constexpr LaneChunk source_lane(std::uint32_t lane) { return {lane % 16, lane / 16}; }
// m16n8k32, weights: two fragments of 8 channels x 32 bytes. Registers: first and second 16 bytes of one, of the other.
constexpr LaneChunk weight_lane(std::uint32_t lane) { return {lane % 8 + lane / 16 * 8, lane / 8 % 2}; }
// m8n8k16, both: 32 rows x 16 bytes. Registers: 8 rows each.
constexpr LaneChunk narrow_lane(std::uint32_t lane) { return {lane, 0}; }

}  // namespace gpueval::cuda
