// SPDX-License-Identifier: Apache-2.0
// 6 tiles x 64 output channels in 24 of 32 registers, by vpdpwssd.
#if defined(__x86_64__)
#include "cpu/int8/epilogue_avx512.h"
#include "cpu/int8/winograd.inl.h"

namespace gpueval::cpu {
namespace {

template <bool kResidual>
inline __m512 output(__m512i sums, const WinogradPixels& p, int pixel, const EpilogueConstants& k) {
  const __m512 v = scaled(sums, p.m, p.b);
  if constexpr (!kResidual) return v;
  const __m128i r = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p.residual_of(pixel)));
  const __m512i wide = p.epilogue->residual == Residual::kU8 ? _mm512_cvtepu8_epi32(r) : _mm512_cvtepi8_epi32(r);
  return _mm512_fmadd_ps(_mm512_cvtepi32_ps(wide), k.residual_scale, v);
}

// 16 bytes of each pixel: dword l of pixel j is packed at l * 4 + j.
template <bool kResidual, bool kInRange>
inline void pack(const __m512i (&sums)[kWinogradOut], const WinogradPixels& p, const EpilogueConstants& k) {
  __m512i v[kWinogradOut];
#pragma GCC unroll 4
  for (int j = 0; j < kWinogradOut; ++j) v[j] = rounded<kInRange>(output<kResidual>(sums[j], p, j, k), k);
  const __m512i packed =
      packed_bytes<kInRange>(_mm512_packs_epi32(v[0], v[1]), _mm512_packs_epi32(v[2], v[3]), *p.epilogue, k);
  const __m512i order = _mm512_set_epi32(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
  const __m512i q = _mm512_permutexvar_epi32(order, packed);
  const auto to = [&](int pixel) { return reinterpret_cast<__m128i*>(p.dst + pixel * p.dst_pixel); };
  _mm_storeu_si128(to(0), _mm512_castsi512_si128(q));
  if (p.count > 1) _mm_storeu_si128(to(1), _mm512_extracti32x4_epi32(q, 1));
  if (p.count > 2) _mm_storeu_si128(to(2), _mm512_extracti32x4_epi32(q, 2));
  if (p.count > 3) _mm_storeu_si128(to(3), _mm512_extracti32x4_epi32(q, 3));
}

struct Avx512 {
  static constexpr int kBytes = 64;
  static constexpr int kRows[] = {0, 12, 12, 8, 6};
  using Sums = __m512i;
  using Constants = EpilogueConstants;

  static Sums load(const std::int16_t* from) { return _mm512_loadu_si512(from); }
  static void store(std::int32_t* to, const Sums& sums) { _mm512_storeu_si512(to, sums); }
  static Sums broadcast(std::int32_t pair) { return _mm512_set1_epi32(pair); }
  static Sums add(const Sums& a, const Sums& b) { return _mm512_add_epi32(a, b); }
  // Opaque: knowing the first sums, g++ 12 takes the first step out of the loop, and then spills.
  static Sums zero() {
    Sums sums = _mm512_setzero_si512();
    asm volatile("" : "+v"(sums));
    return sums;
  }
  // Not the intrinsic: g++ 12 copies its accumulator.
  static void multiply_add(Sums& acc, const Sums& x, const Sums& w) {
    asm volatile("vpdpwssd %2, %1, %0" : "+v"(acc) : "v"(x), "v"(w));
  }
  static Constants constants(const Epilogue& e) { return load_constants(e); }
  static bool packs(const Epilogue& e) { return e.out != Out::kF32; }
  template <bool kResidual>
  static void store_bytes(const Sums (&sums)[kWinogradOut], const WinogradPixels& p, const Constants& k) {
    p.epilogue->in_range ? pack<kResidual, true>(sums, p, k) : pack<kResidual, false>(sums, p, k);
  }
  template <bool kResidual>
  static void store_pixel(const Sums& sums, const WinogradPixels& p, int pixel, const Constants& k) {
    const std::byte* residual = kResidual ? p.residual_of(pixel) : nullptr;
    store_natural<1, kResidual>(&sums, p.m, p.b, residual, *p.epilogue, k, p.channels, p.dst + pixel * p.dst_pixel);
  }
};

}  // namespace

const WinogradSet kWinogradAvx512Vnni = {
    .lanes = 16,
    .max_vectors = 4,
    .depth = 32,
    .source_u8 = winograd_source<Avx512, std::uint8_t, Vectors<64>::U8>,
    .source_s8 = winograd_source<Avx512, std::int8_t, Vectors<64>::S8>,
    .product = {nullptr, winograd_product<Avx512, 1>, winograd_product<Avx512, 2>, winograd_product<Avx512, 3>,
                winograd_product<Avx512, 4>},
    .outputs = winograd_outputs<Avx512>,
};

}  // namespace gpueval::cpu
#endif
