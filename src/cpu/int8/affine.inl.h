// SPDX-License-Identifier: Apache-2.0
// Loops of affine.h, part of int8_ops.inl.h: along the channels of a pixel, which have their own numbers.
#pragma once

#include "cpu/int8/int8_pool.inl.h"

namespace gpueval::cpu {
namespace {

template <typename S, typename D>  // D: float, or bytes of either type
void affine(const ChannelRun& caller) {
  const ChannelRun run = caller;  // or the byte stores below could change it, and nothing would vectorise
  const float* __restrict m = run.m;
  const float* __restrict b = run.b;
  for (std::int64_t pixel = 0; pixel < run.pixels; ++pixel) {
    const S* __restrict a = reinterpret_cast<const S*>(run.src + pixel * run.src_bytes);
    D* __restrict dst = reinterpret_cast<D*>(run.dst + pixel * run.dst_bytes);
    for (int c = 0; c < run.channels; ++c) {
      const float v = __builtin_fmaf(static_cast<float>(a[c]), m[c], b[c]);
      if constexpr (std::is_same_v<D, float>) {
        dst[c] = v > run.lo ? v : run.lo;
      } else {
        dst[c] = round_clamped(v, run.lo, run.hi);
      }
    }
  }
}

}  // namespace
}  // namespace gpueval::cpu
