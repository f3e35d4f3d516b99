// SPDX-License-Identifier: Apache-2.0
// Convolution blocks on Intel's matrix unit. A tile register holds 16 rows of 64 bytes. One TDPBUSD (TDPBSSD for s8
// sources, so that no source is converted) multiplies 16 pixels x 64 depth bytes with 64 depth bytes x 16 output
// channels into 16 x 16 exact 32-bit sums, in 16 cycles. Eight registers: 2 x 2 tiles of sums, two of pixels, two of
// weights, so that each depth step loads four tiles for four multiplications: 64 cache lines in 64 cycles, half of what
// L1 delivers. Two by one tiles would need all of it. The sums pass through a buffer of 4 KiB to the epilogue that the
// vector kernels use, a pixel of 32 channels at a time. That epilogue takes as long as five depth steps: it runs one
// block late, a few pixels after each depth step of the next block, on the vector units while the matrix unit works.
#if defined(__x86_64__)
#include "cpu/int8/amx_block.h"
#include "cpu/int8/epilogue_avx512.h"

namespace gpueval::cpu {
namespace {

constexpr int kLanes = 16, kRows = 16;
constexpr std::int64_t kSumPitch = kAmxBlockTiles * kLanes * 4;

// Rows [first, end) of the sums; row kRows is the first one of the second tile.
template <int kCols, bool kResidual>
void store(const AmxBlock& a, int first, int end) {
  const Epilogue& e = *a.epilogue;
  const EpilogueConstants k = load_constants(e);
  for (int i = first; i < end; ++i) {
    const std::int64_t pixel = a.pixel[i / kRows][i % kRows];
    if (pixel < 0) continue;
    const std::byte* row = a.sums + i * kSumPitch;
    __m512i acc[kCols];
    for (int j = 0; j < kCols; ++j) acc[j] = _mm512_load_si512(row + j * 64);
    const std::byte* residual = kResidual ? a.residual + pixel * a.residual_pitch : nullptr;
    store_natural<kCols, kResidual>(acc, a.m, a.b, residual, e, k, a.channels, a.dst + pixel * a.dst_pitch);
  }
}

template <bool kResidual>
inline __m512i rounded_half(const std::byte* sums, __m512 m, __m512 b, const std::byte* residual, const Epilogue& e,
                            const EpilogueConstants& k) {
  __m512 v = _mm512_fmadd_ps(_mm512_cvtepi32_ps(_mm512_load_si512(sums)), m, b);
  if constexpr (kResidual) {
    const __m128i r = _mm_loadu_si128(reinterpret_cast<const __m128i*>(residual));
    const __m512i wide = e.residual == Residual::kU8 ? _mm512_cvtepu8_epi32(r) : _mm512_cvtepi8_epi32(r);
    v = _mm512_fmadd_ps(_mm512_cvtepi32_ps(wide), k.residual_scale, v);
  }
  return rounded<true>(v, k);
}

// The usual case, 32 channels of bytes that need no clamp before they are rounded: two pixels fill a register.
template <bool kResidual>
void store_pairs(const AmxBlock& a, int first, int end) {
  const Epilogue& e = *a.epilogue;
  const EpilogueConstants k = load_constants(e);
  const __m512 m0 = _mm512_loadu_ps(a.m), m1 = _mm512_loadu_ps(a.m + 16);
  const __m512 b0 = _mm512_loadu_ps(a.b), b1 = _mm512_loadu_ps(a.b + 16);
  const __m512i order = _mm512_set_epi32(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
  for (int i = first; i < end; i += 2) {
    // A pixel that is not stored, or is not there, is computed from the row's other one.
    const std::int64_t one = a.pixel[i / kRows][i % kRows], two = i + 1 < end ? a.pixel[i / kRows][i % kRows + 1] : -1;
    if (one < 0 && two < 0) continue;
    const std::int64_t from_one = one < 0 ? two : one, from_two = two < 0 ? one : two;
    const std::byte *row = a.sums + i * kSumPitch, *next = row + kSumPitch;
    const std::byte* r_one = kResidual ? a.residual + from_one * a.residual_pitch : nullptr;
    const std::byte* r_two = kResidual ? a.residual + from_two * a.residual_pitch : nullptr;
    const __m512i lo = _mm512_packs_epi32(rounded_half<kResidual>(row, m0, b0, r_one, e, k),
                                          rounded_half<kResidual>(row + 64, m1, b1, r_one + 16, e, k));
    const __m512i hi = _mm512_packs_epi32(rounded_half<kResidual>(next, m0, b0, r_two, e, k),
                                          rounded_half<kResidual>(next + 64, m1, b1, r_two + 16, e, k));
    const __m512i q = _mm512_permutexvar_epi32(order, packed_bytes<true>(lo, hi, e, k));
    if (one >= 0) {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(a.dst + one * a.dst_pitch), _mm512_castsi512_si256(q));
    }
    if (two >= 0) {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(a.dst + two * a.dst_pitch), _mm512_extracti64x4_epi64(q, 1));
    }
  }
}

using StoreFn = void (*)(const AmxBlock& a, int first, int end);

StoreFn store_of(const AmxBlock& a) {
  const Epilogue& e = *a.epilogue;
  const bool residual = e.residual != Residual::kNone;
  if (a.channels <= kLanes) return residual ? store<1, true> : store<1, false>;
  if (a.channels == 2 * kLanes && e.in_range) return residual ? store_pairs<true> : store_pairs<false>;
  return residual ? store<2, true> : store<2, false>;
}

// What is left to store of the block before.
struct Pending {
  const AmxBlock* block;
  StoreFn store = nullptr;
  int next = 0, end = 0;

  explicit Pending(const AmxBlock* before) : block(before) {
    if (block == nullptr) return;
    store = store_of(*block);
    end = (block->tiles - 1) * kRows + block->rows;
  }
  void some(int count) {
    if (next >= end) return;
    const int stop = next + count < end ? next + count : end;
    store(*block, next, stop);
    next = stop;
  }
};

template <bool kSigned, int kTiles, int kCols>
void multiply(const AmxBlock& a, Pending& pending) {
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  const std::byte* weights = a.weights;
  const int share = (kAmxBlockTiles * kRows / 2 + a.steps - 1) / a.steps * 2;  // even: store_pairs()
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
    pending.some(share);
  }
  std::byte* sums = a.sums;
  _tile_stored(0, sums, kSumPitch);
  if constexpr (kCols == 2) _tile_stored(1, sums + kLanes * 4, kSumPitch);
  if constexpr (kTiles == 2) _tile_stored(2, sums + kRows * kSumPitch, kSumPitch);
  if constexpr (kTiles == 2 && kCols == 2) _tile_stored(3, sums + kRows * kSumPitch + kLanes * 4, kSumPitch);
}

template <bool kSigned>
void multiply_any(const AmxBlock& a, Pending& pending) {
  if (a.channels > kLanes) {
    a.tiles == 2 ? multiply<kSigned, 2, 2>(a, pending) : multiply<kSigned, 1, 2>(a, pending);
  } else {
    a.tiles == 2 ? multiply<kSigned, 2, 1>(a, pending) : multiply<kSigned, 1, 1>(a, pending);
  }
}

}  // namespace

void amx_configure(const AmxConfig& config) { _tile_loadconfig(&config); }

void amx_release() { _tile_release(); }

void amx_multiply(const AmxBlock& block, const AmxBlock* before) {
  Pending pending(before);
  block.is_signed ? multiply_any<true>(block, pending) : multiply_any<false>(block, pending);
}

void amx_store(const AmxBlock& block) { Pending(&block).some(kAmxBlockTiles * kRows); }

}  // namespace gpueval::cpu
#endif
