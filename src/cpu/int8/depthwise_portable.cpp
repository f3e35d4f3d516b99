// SPDX-License-Identifier: Apache-2.0
// Portable depthwise rows: channel by channel in short vectorisable loops. Products of 8-bit numbers fit 16 bits.
#include "cpu/int8/depthwise_row.h"
#include "cpu/int8/epilogue_portable.h"

namespace gpueval::cpu {
namespace {

constexpr int kChunk = 32;

template <typename T>
void accumulate(const T* __restrict x, const std::int16_t* __restrict w, int count, std::int32_t* __restrict sum) {
  for (int c = 0; c < count; ++c) sum[c] += static_cast<std::int16_t>(std::int16_t{x[c]} * w[c]);
}

template <typename T>
void pixel(const DepthwiseRow& a, int q, int block, int count) {
  std::int32_t sum[kChunk];
  const int c0 = block * kChunk;
  std::memcpy(sum, a.start + c0, sizeof sum);
  const auto* w = reinterpret_cast<const std::int16_t*>(a.weights) + c0 * a.kernel_h * a.kernel_w;
  for (int s = 0; s < a.kernel_w; ++s) {
    const int x = q * a.stride_w - a.pad_left + s;
    for (int r = 0; r < a.kernel_h; ++r, w += kChunk) {
      if (a.rows[r] != nullptr && x >= 0 && x < a.w) {
        accumulate(reinterpret_cast<const T*>(a.rows[r] + x * a.pixel_bytes + c0), w, count, sum);
      } else if (a.pad != 0) {
        for (int c = 0; c < count; ++c) sum[c] += a.pad * w[c];
      }
    }
  }
  const int bytes = a.epilogue->out == Out::kF32 ? 4 : 1;
  for (int c = 0; c < count; ++c) {
    store_element(sum[c], a.m[c0 + c], a.b[c0 + c], a.residual ? a.residual + q * a.residual_pitch + c0 + c : nullptr,
                  *a.epilogue, a.dst + q * a.dst_pitch + (c0 + c) * bytes);
  }
}

void row(const DepthwiseRow& a) {
  for (int block = 0; block * kChunk < a.channels; ++block) {
    const int left = a.channels - block * kChunk;
    const int count = left < kChunk ? left : kChunk;
    for (int q = 0; q < a.q; ++q) {
      if (a.src_s8) {
        pixel<std::int8_t>(a, q, block, count);
      } else {
        pixel<std::uint8_t>(a, q, block, count);
      }
    }
  }
}

}  // namespace

const DepthwiseSet kDepthwisePortable = {.block = kChunk,
                                         .group = 1,
                                         .element_bytes = 2,
                                         .biased = false,
                                         .weight_channel = [](int lane) { return lane; },
                                         .shuffled = false,
                                         .by_column = false,
                                         .row = row,
                                         .flat_row = nullptr,
                                         .flat_row_stride2 = nullptr,
                                         .row_pair = nullptr,
                                         .flat_row_pair = nullptr};

}  // namespace gpueval::cpu
