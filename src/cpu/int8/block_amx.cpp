// SPDX-License-Identifier: Apache-2.0
// Convolution blocks on Intel's matrix unit. A tile register holds 16 rows of 64 bytes. One TDPBUSD (TDPBSSD for s8
// sources, so that no source is converted) multiplies 16 pixels x 64 depth bytes with 64 depth bytes x 16 output
// channels into 16 x 16 exact 32-bit sums, in 16 cycles. Eight registers: 2 x 2 tiles of sums, two of pixels, two of
// weights, so that each depth step loads four tiles for four multiplications: 64 cache lines in 64 cycles, half of what
// L1 delivers. Two by one tiles would need all of it. The sums pass through a buffer of 4 KiB to the epilogue that the
// vector kernels use, a pixel of 32 channels at a time.
#if defined(__x86_64__)
#include "cpu/int8/amx_block.h"
#include "cpu/int8/epilogue_avx512.h"

namespace gpueval::cpu {
namespace {

constexpr int kLanes = 16, kRows = 16;
constexpr std::int64_t kSumPitch = kAmxBlockTiles * kLanes * 4;

template <bool kSigned, int kTiles, int kCols>
void multiply(const AmxBlock& a, std::byte* sums) {
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  const std::byte* weights = a.weights;
  for (int i = 0; i < a.steps; ++i, weights += kCols * a.weight_bytes) {
    const std::int64_t offset = a.offsets[i];
    _tile_loadd(6, weights, 64);
    _tile_loadd(4, a.src[0] + offset, a.src_pitch);
    if constexpr (kSigned) {
      _tile_dpbssd(0, 4, 6);
    } else {
      _tile_dpbusd(0, 4, 6);
    }
    if constexpr (kCols == 2) {
      _tile_loadd(7, weights + a.weight_bytes, 64);
      if constexpr (kSigned) {
        _tile_dpbssd(1, 4, 7);
      } else {
        _tile_dpbusd(1, 4, 7);
      }
    }
    if constexpr (kTiles == 2) {
      _tile_loadd(5, a.src[1] + offset, a.src_pitch);
      if constexpr (kSigned) {
        _tile_dpbssd(2, 5, 6);
      } else {
        _tile_dpbusd(2, 5, 6);
      }
    }
    if constexpr (kTiles == 2 && kCols == 2) {
      if constexpr (kSigned) {
        _tile_dpbssd(3, 5, 7);
      } else {
        _tile_dpbusd(3, 5, 7);
      }
    }
  }
  _tile_stored(0, sums, kSumPitch);
  if constexpr (kCols == 2) _tile_stored(1, sums + kLanes * 4, kSumPitch);
  if constexpr (kTiles == 2) _tile_stored(2, sums + kRows * kSumPitch, kSumPitch);
  if constexpr (kTiles == 2 && kCols == 2) _tile_stored(3, sums + kRows * kSumPitch + kLanes * 4, kSumPitch);
}

template <int kCols, bool kResidual>
void store(const AmxBlock& a, const std::byte* sums) {
  const Epilogue& e = *a.epilogue;
  const EpilogueConstants k = load_constants(e);
  for (int t = 0; t < a.tiles; ++t) {
    for (int i = 0; i < a.rows; ++i) {
      const std::int64_t pixel = a.pixel[t][i];
      if (pixel < 0) continue;
      const std::byte* row = sums + (t * kRows + i) * kSumPitch;
      __m512i acc[kCols];
      for (int j = 0; j < kCols; ++j) acc[j] = _mm512_load_si512(row + j * 64);
      const std::byte* residual = kResidual ? a.residual + pixel * a.residual_pitch : nullptr;
      store_natural<kCols, kResidual>(acc, a.m, a.b, residual, e, k, a.channels, a.dst + pixel * a.dst_pitch);
    }
  }
}

template <bool kSigned>
void multiply_any(const AmxBlock& a, std::byte* sums) {
  if (a.channels > kLanes) {
    a.tiles == 2 ? multiply<kSigned, 2, 2>(a, sums) : multiply<kSigned, 1, 2>(a, sums);
  } else {
    a.tiles == 2 ? multiply<kSigned, 2, 1>(a, sums) : multiply<kSigned, 1, 1>(a, sums);
  }
}

}  // namespace

void amx_configure(const AmxConfig& config) { _tile_loadconfig(&config); }

void amx_release() { _tile_release(); }

void amx_block(const AmxBlock& a) {
  alignas(4096) std::byte sums[kAmxBlockTiles * kRows * kSumPitch];
  a.is_signed ? multiply_any<true>(a, sums) : multiply_any<false>(a, sums);
  const bool residual = a.epilogue->residual != Residual::kNone;
  if (a.channels > kLanes) {
    residual ? store<2, true>(a, sums) : store<2, false>(a, sums);
  } else {
    residual ? store<1, true>(a, sums) : store<1, false>(a, sums);
  }
}

}  // namespace gpueval::cpu
#endif
