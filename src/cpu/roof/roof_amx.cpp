// SPDX-License-Identifier: Apache-2.0
// Six independent tiles of sums hide the latency of TDPBUSD (52 cycles, one in 16 at most).
#include <immintrin.h>

#include "cpu/int8/amx_block.h"
#include "cpu/roof/roof_loops.h"

namespace gpueval::cpu {
namespace {

constexpr int kChains = 6, kTileRows = 16, kTileBytes = 64;

struct alignas(64) Tile {
  std::int32_t value[kTileRows][kTileBytes / 4];
};

void fill(Tile& tile, std::int32_t value) {
  for (auto& row : tile.value) {
    for (auto& element : row) element = value;
  }
}

std::int64_t run_int8(std::int64_t rounds) {
  AmxConfig config;
  for (int i = 0; i < 8; ++i) {
    config.rows[i] = kTileRows;
    config.row_bytes[i] = kTileBytes;
  }
  Tile a, b, sums;
  fill(a, 0x01020304);
  fill(b, 0x05fb07f9);
  asm volatile("" : : "r"(&a), "r"(&b), "r"(&config) : "memory");  // written before the tiles are loaded
  _tile_loadconfig(&config);
  _tile_loadd(6, &a, kTileBytes);
  _tile_loadd(7, &b, kTileBytes);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  _tile_zero(4);
  _tile_zero(5);
  for (std::int64_t round = 0; round < rounds; ++round) {
    _tile_dpbusd(0, 6, 7);
    _tile_dpbusd(1, 6, 7);
    _tile_dpbusd(2, 6, 7);
    _tile_dpbusd(3, 6, 7);
    _tile_dpbusd(4, 6, 7);
    _tile_dpbusd(5, 6, 7);
  }
  std::int64_t sum = 0;
#define GPUEVAL_SUM(i)                \
  _tile_stored(i, &sums, kTileBytes); \
  sum += sums.value[0][0];
  GPUEVAL_SUM(0)
  GPUEVAL_SUM(1)
  GPUEVAL_SUM(2)
  GPUEVAL_SUM(3)
  GPUEVAL_SUM(4)
  GPUEVAL_SUM(5)
#undef GPUEVAL_SUM
  _tile_release();
  return sum;
}

}  // namespace

const RoofLoop kRoofAmxInt8 = {run_int8, 2 * kTileRows* kTileBytes / 4 * kTileBytes* kChains};

}  // namespace gpueval::cpu
