// SPDX-License-Identifier: Apache-2.0
// Portable tiles: up to 4 rows x 4 channels. Source and weights are s16, each lane's weights contiguous over the
// channels of a tap, so that a compiler turns the loop into pmaddwd (SSE2) or its like.
#include "cpu/int8/epilogue_portable.h"
#include "cpu/int8/tile.h"

namespace gpueval::cpu {
namespace {

constexpr int kLanes = 4;

// sum[lane] += x . w[lane] over count channels.
inline void dot(const std::int16_t* __restrict x, const std::int16_t* __restrict w, int count,
                std::int32_t* __restrict sum) {
  std::int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;
  const std::int16_t *w1 = w + count, *w2 = w1 + count, *w3 = w2 + count;
  for (int c = 0; c < count; ++c) {
    s0 += x[c] * w[c];
    s1 += x[c] * w1[c];
    s2 += x[c] * w2[c];
    s3 += x[c] * w3[c];
  }
  sum[0] += s0;
  sum[1] += s1;
  sum[2] += s2;
  sum[3] += s3;
}

template <int kRows>
void tile(const TileArgs& a) {
  std::int32_t sum[kRows][kLanes];
  for (int i = 0; i < kRows; ++i) std::memcpy(sum[i], a.start, sizeof sum[i]);
  const int count = a.groups * 8;
  const auto* w = reinterpret_cast<const std::int16_t*>(a.weights);
  for (int t = 0; t < a.tap_count; ++t, w += kLanes * count) {
    for (int i = 0; i < kRows; ++i) {
      dot(reinterpret_cast<const std::int16_t*>(a.taps[t * a.tap_stride + i]), w, count, sum[i]);
    }
  }
  const int bytes = a.epilogue->out == Out::kF32 ? 4 : 1;
  for (int i = 0; i < kRows; ++i) {
    for (int j = 0; j < kLanes && j < a.channels; ++j) {
      store_element(sum[i][j], a.m[j], a.b[j], a.residual ? a.residual + i * a.residual_pitch + j : nullptr,
                    *a.epilogue, a.dst + i * a.dst_pitch + j * bytes);
    }
  }
}

template <typename T>
void convert(const std::byte* src, std::byte* dst, std::int64_t count) {
  auto* wide = reinterpret_cast<std::int16_t*>(dst);
  const auto* narrow = reinterpret_cast<const T*>(src);
  for (std::int64_t i = 0; i < count; ++i) wide[i] = narrow[i];
}

}  // namespace

const TileSet kTilesPortable = {
    .lanes = kLanes,
    .max_vectors = 1,
    .group = 8,
    .element_bytes = 2,
    .biased = false,
    .lane_major = true,
    .shuffled = false,
    .rows = {0, 4, 0, 0, 0},
    .fn = {{}, {nullptr, tile<1>, tile<2>, tile<3>, tile<4>}, {}, {}, {}},
    .convert_u8 = convert<std::uint8_t>,
    .convert_s8 = convert<std::int8_t>,
};

}  // namespace gpueval::cpu
