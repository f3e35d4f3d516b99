// SPDX-License-Identifier: Apache-2.0
// The end of the tensor-core convolutions: sums in the fragments' registers -> output tile. The tile lies in shared
// memory, one byte an element and swizzled, so that memory sees whole rows: the residual comes in by 16-byte loads,
// each thread replaces the bytes of its own elements by its results, and the result leaves by 16-byte stores. float32
// results leave from the registers: 4 lanes hold 32 contiguous bytes.
//
// A residual that is asked for only when the sums are there costs a memory latency that nothing hides. Where the tile
// fits into a stage it comes asynchronously, as the step behind the last one: its stage is the output tile then.
#pragma once

#include <cstdint>

#include "cuda/conv/epilogue.h"
#include "cuda/conv/mma_params.h"
#include "cuda/conv/mma_tile.h"
#include "cuda/prim/bytes.h"
#include "cuda/prim/cp_async.h"
#include "cuda/prim/keep.h"
#include "cuda/prim/saturate.h"
#include "cuda/prim/shared.h"
#include "cuda/prim/target.h"
#include "cuda/prim/thread.h"
#include "cuda/prim/vector.h"

namespace gpueval::GPUEVAL_TARGET {

struct alignas(8) FloatPair {
  float first, second;
};

// Before the main loop, whose barriers publish it: m and b of the tile's channels, 0 behind the last.
template <cuda::MmaTile kTile>
GPUEVAL_DEVICE void stage_scales(const Epilogue& e, int channel0) {
  const Shared<float> scale(kTile.scale_offset(), kTile.n), bias(kTile.bias_offset(), kTile.n);
  for (int i = static_cast<int>(thread_index().x); i < kTile.n; i += kTile.threads()) {
    const int channel = channel0 + i;
    const bool real = channel < e.k;
    scale[i] = real && e.image_scale == nullptr ? e.m[channel] : 0.0f;
    bias[i] = real ? e.b[channel] : 0.0f;
  }
}

// The thread's number for what only the output needs. Where a block writes several tiles nothing that is derived from
// it is to be kept in registers through the main loops.
template <cuda::MmaTile kTile>
GPUEVAL_DEVICE int output_thread() {
  int thread = static_cast<int>(thread_index().x);
  if constexpr (kTile.persistent) keep_in_register(thread);
  return thread;
}

// Calls move(row, column, global row, global channel) for every 16 channels of the tile that have real ones.
template <cuda::MmaTile kTile, typename Move>
GPUEVAL_DEVICE void for_each_chunk(const MmaParams& p, int row0, int channel0, const Move& move) {
  constexpr int kChunks = kTile.n / 16;
  const int thread = output_thread<kTile>();
  GPUEVAL_UNROLL
  for (int i = 0; i < kTile.m * kChunks / kTile.threads(); ++i) {
    const int at = thread + i * kTile.threads();
    const int row = at / kChunks, column = at % kChunks * 16;
    if (row0 + row < p.rows && channel0 + column < p.epilogue.k) move(row, column, row0 + row, channel0 + column);
  }
}

template <cuda::MmaTile kTile>
GPUEVAL_DEVICE std::uint32_t output_slot(int row, int column) {
  return cuda::output_offset(static_cast<std::uint32_t>(row), static_cast<std::uint32_t>(column), kTile.n);
}

// To the output tile at byte `at`. kAsync: by cp.async where 16 channels can be moved at once; the caller commits and
// waits.
template <cuda::MmaTile kTile, bool kAsync>
GPUEVAL_DEVICE void stage_residual(const MmaParams& p, int row0, int channel0, std::uint32_t at) {
  const Epilogue& e = p.epilogue;
  for_each_chunk<kTile>(p, row0, channel0, [&](int row, int column, int pixel, int channel) {
    const auto* from =
        static_cast<const std::uint8_t*>(e.residual) + (static_cast<std::int64_t>(pixel) * e.residual_pitch + channel);
    const std::uint32_t to = at + output_slot<kTile>(row, column);
    if (p.residual_vector && channel + 16 <= e.k) {
      if constexpr (kAsync) {
        cp_async_16(to, from, true);
      } else {
        shared_at<Bytes16>(to) = load_global<Bytes16>(from);
      }
    } else {
      for (int c = 0; c < 16 && channel + c < e.k; ++c) {
        shared_at<std::uint8_t>(to + static_cast<std::uint32_t>(c)) = from[c];
      }
    }
  });
}

template <cuda::MmaTile kTile>
GPUEVAL_DEVICE void store_tile(const MmaParams& p, int row0, int channel0, std::uint32_t at) {
  const Epilogue& e = p.epilogue;
  for_each_chunk<kTile>(p, row0, channel0, [&](int row, int column, int pixel, int channel) {
    auto* to = static_cast<std::uint8_t*>(e.dst) + (static_cast<std::int64_t>(pixel) * e.dst_pitch + channel);
    const std::uint32_t from = at + output_slot<kTile>(row, column);
    if (p.dst_vector && channel + 16 <= e.k) {
      store_global(to, shared_at<Bytes16>(from));
    } else {
      for (int c = 0; c < 16 && channel + c < e.k; ++c) {
        to[c] = shared_at<std::uint8_t>(from + static_cast<std::uint32_t>(c));
      }
    }
  });
}

GPUEVAL_DEVICE int widen(std::uint32_t byte, bool is_unsigned) {
  return is_unsigned ? static_cast<int>(byte & 0xff) : static_cast<std::int8_t>(byte & 0xff);
}

GPUEVAL_DEVICE void store_floats(const MmaParams& p, int pixel, int channel, float v0, float v1) {
  const Epilogue& e = p.epilogue;
  if (pixel >= p.rows || channel >= e.k) return;
  auto* to = static_cast<float*>(e.dst) + (static_cast<std::int64_t>(pixel) * e.dst_pitch + channel);
  if (p.dst_pair && channel + 1 < e.k) {
    store_global(to, FloatPair{v0, v1});
  } else {
    to[0] = v0;
    if (channel + 1 < e.k) to[1] = v1;
  }
}

// A lane's part of its warp's part of the tile: rows row + 8i and columns column + 8j, column + 8j + 1.
template <cuda::MmaTile kTile>
struct LanePart {
  static constexpr int kRows = kTile.warp_m() / 8, kColumns = kTile.warp_n() / 8;
  static_assert((kTile.warp_n() & (kTile.warp_n() - 1)) == 0 && kTile.warp_n() >= 16);
  int row, column;
  std::uint32_t first;  // byte offset of element (0, 0) of the part

  GPUEVAL_DEVICE explicit LanePart(std::uint32_t at) {
    const int thread = output_thread<kTile>(), warp = thread / 32, lane = thread % 32;
    row = warp / kTile.warps_n * kTile.warp_m() + lane / 4;
    column = warp % kTile.warps_n * kTile.warp_n() + lane % 4 * 2;
    first = at + output_slot<kTile>(row, column);
  }
  GPUEVAL_DEVICE FloatPair scale(int j) const { return pair(kTile.scale_offset(), j); }
  GPUEVAL_DEVICE FloatPair bias(int j) const { return pair(kTile.bias_offset(), j); }
  // at + output_slot(row + 8i, column + 8j) in one operation for two columns: eight rows further on the chunks are
  // turned alike, and a warp's columns begin at a multiple of their count, so that adding chunks changes bits only.
  GPUEVAL_DEVICE std::uint32_t slot(int i, int j) const {
    return (first ^ static_cast<std::uint32_t>(j / 2 * 16)) + static_cast<std::uint32_t>(i * 8 * kTile.n + j % 2 * 8);
  }

 private:
  GPUEVAL_DEVICE FloatPair pair(std::uint32_t offset, int j) const {
    return shared_at<FloatPair>(offset + static_cast<std::uint32_t>(column + j * 8) * 4);
  }
};

// Bytes by factors that are known beforehand and that saturate: nearly all layers. Few instructions, because short sums
// (1x1, or 3x3 of 64 channels) spend as much time here as in the products.
template <cuda::MmaTile kTile, bool kUnsigned, bool kResidual, typename Sums>
GPUEVAL_DEVICE void write_bytes(const Epilogue& e, const Sums& sums, std::uint32_t at) {
  using Part = LanePart<kTile>;
  const Part part(at);
  // s8 = (byte ^ 0x80) - 0x80. The upper half is that of kSmallIntBits, so that a byte and it are a float.
  const std::uint32_t turned = kSmallIntBits ^ (e.residual_unsigned ? 0u : 0x8080u);
  const float zero = e.residual_unsigned ? kSmallIntOffset : kSmallIntOffset + 128;
  const auto value = [&](int sum, float m, float b, std::uint32_t residual_bits) {
    float v = fma_rn(int_to_float(sum), m, b);
    if constexpr (kResidual) v = fma_rn(bits_float(static_cast<int>(residual_bits)) - zero, e.residual_scale, v);
    return kUnsigned ? v : max_of(v, e.lo);
  };
  GPUEVAL_UNROLL
  for (int j = 0; j < Part::kColumns; ++j) {
    const FloatPair m = part.scale(j), b = part.bias(j);
    GPUEVAL_UNROLL
    for (int i = 0; i < Part::kRows; ++i) {
      const std::uint32_t slot = part.slot(i, j);
      const std::uint32_t r = kResidual ? shared_at<std::uint16_t>(slot) ^ turned : 0u;
      const float low = value(sums.at(i, j, 0), m.first, b.first, byte_permute(r, 0, 0x3240));
      const float high = value(sums.at(i, j, 1), m.second, b.second, byte_permute(r, 0, 0x3241));
      shared_at<std::uint16_t>(slot) = static_cast<std::uint16_t>(saturated_pair<kUnsigned>(low, high, 0));
    }
  }
}

// Bytes or floats, by known factors or each image's, within any limits.
template <cuda::MmaTile kTile, typename Sums>
GPUEVAL_DEVICE void write_any(const MmaParams& p, const Sums& sums, int row0, int channel0, std::uint32_t at) {
  using Part = LanePart<kTile>;
  const Part part(at);
  const Epilogue& e = p.epilogue;
  const bool fixed = e.image_scale == nullptr;
  float dynamic[Part::kRows];
  if (!fixed) {
    GPUEVAL_UNROLL
    for (int i = 0; i < Part::kRows; ++i) {
      const int pixel = row0 + part.row + i * 8;
      dynamic[i] = e.image_scale[p.image_pixels.quotient(pixel < p.rows ? pixel : p.rows - 1)];
    }
  }
  GPUEVAL_UNROLL
  for (int j = 0; j < Part::kColumns; ++j) {
    const FloatPair m = part.scale(j), b = part.bias(j);
    GPUEVAL_UNROLL
    for (int i = 0; i < Part::kRows; ++i) {
      const std::uint32_t slot = part.slot(i, j);
      const std::uint32_t r = e.residual != nullptr ? shared_at<std::uint16_t>(slot) : 0u;
      const float v0 =
          epilogue_value(e, sums.at(i, j, 0), fixed ? m.first : dynamic[i], b.first, widen(r, e.residual_unsigned));
      const float v1 = epilogue_value(e, sums.at(i, j, 1), fixed ? m.second : dynamic[i], b.second,
                                      widen(r >> 8, e.residual_unsigned));
      if (e.dst_float) {
        store_floats(p, row0 + part.row + i * 8, channel0 + part.column + j * 8, v0, v1);
      } else {
        const std::uint32_t low = round_to_low_bits(min_of(v0, e.hi)), high = round_to_low_bits(min_of(v1, e.hi));
        shared_at<std::uint16_t>(slot) = static_cast<std::uint16_t>(byte_permute(low, high, 0x0040));
      }
    }
  }
}

// Of the threads that share a tile.
template <cuda::MmaTile kTile>
GPUEVAL_DEVICE void tile_barrier() {
  if constexpr (kTile.producer) {
    part_barrier(kTile.threads());
  } else {
    block_barrier();
  }
}

template <cuda::MmaTile kTile, bool kUnsigned, typename Sums>
GPUEVAL_DEVICE void write_bytes(const Epilogue& e, const Sums& sums, std::uint32_t at) {
  if (e.residual != nullptr) {
    write_bytes<kTile, kUnsigned, true>(e, sums, at);
  } else {
    write_bytes<kTile, kUnsigned, false>(e, sums, at);
  }
}

// Sums: at(i, j, e) is the lane's element e of rows 8i..8i+7 and columns 8j..8j+7 of its warp's part of the tile: row
// lane / 4, column 2 * (lane % 4) + e. All copies into shared memory and all reads of the stages must be over. The
// output tile lies at byte `at`; a residual is already there if `staged`.
template <cuda::MmaTile kTile, typename Sums>
GPUEVAL_DEVICE void write_tile(const MmaParams& p, const Sums& sums, int row0, int channel0, std::uint32_t at = 0,
                               bool staged = false) {
  const Epilogue& e = p.epilogue;
  if (e.residual != nullptr && !staged) {
    stage_residual<kTile, false>(p, row0, channel0, at);
    tile_barrier<kTile>();
  }
  if (!e.saturates || e.image_scale != nullptr) {
    write_any<kTile>(p, sums, row0, channel0, at);
  } else if (e.dst_unsigned) {
    write_bytes<kTile, true>(e, sums, at);
  } else {
    write_bytes<kTile, false>(e, sums, at);
  }
  if (e.dst_float) return;
  tile_barrier<kTile>();
  store_tile<kTile>(p, row0, channel0, at);
}

}  // namespace gpueval::GPUEVAL_TARGET
