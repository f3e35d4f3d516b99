// SPDX-License-Identifier: Apache-2.0
// Depthwise rows of any kernel. Columns are interleaved once for all output pixels that read them; those of a kernel
// lie one behind the other, as its weights do.
#if defined(__x86_64__)
#include "cpu/int8/depthwise_avx512.h"

namespace gpueval::cpu {
namespace {

class Columns {
 public:
  static constexpr int kMost = 24 << 10;  // bytes: in L1 with the weights

  explicit Columns(const DepthwiseRow& a) : groups_((a.kernel_h + 3) / 4), source_(a) {}
  // How many output pixels' columns fit.
  int outputs(const DepthwiseRow& a) const {
    const int columns = kMost / bytes();
    return columns < a.kernel_w ? 0 : (columns - a.kernel_w) / a.stride_w + 1;
  }
  int bytes() const { return groups_ * 256; }  // of a column
  // Columns [first, first + count) of the source; those outside the image are padding.
  void fill(const DepthwiseRow& a, int first, int count, int c0) {
    const __mmask64 mask = first_bytes(a.channels - c0);
    std::byte* to = data_;
    for (int x = first; x < first + count; ++x) {
      const bool inside = x >= 0 && x < a.w;
      for (int g = 0; g < groups_; ++g, to += 256) {
        const Column column = load_column(a, source_, g * 4, inside ? x * a.pixel_bytes + c0 : 0, inside ? mask : 0);
#pragma GCC unroll 4
        for (int v = 0; v < 4; ++v) _mm512_store_si512(to + v * 64, column.v[v]);
      }
    }
  }
  const std::byte* at(int column) const { return data_ + column * bytes(); }

 private:
  int groups_;
  Source source_;
  alignas(64) std::byte data_[kMost];
};

// Output pixels q .. q + kPixels - 1, from the columns of the first on; `step` bytes lie between those of two.
template <int kPixels>
inline void pixels_of_columns(const DepthwiseRow& a, const std::byte* columns, int step, const std::byte* weights,
                              int q, int c0, const EpilogueConstants& k) {
  const int bytes = a.epilogue->out == Out::kF32 ? 4 : 1;
  const int taps = (a.kernel_h + 3) / 4 * a.kernel_w;
  __m512i acc[kPixels][4];
#pragma GCC unroll 4
  for (int p = 0; p < kPixels; ++p) load_start(a.start + c0, acc[p]);
  for (int t = 0; t < taps; ++t, columns += 256, weights += 256) {
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) {
      const __m512i w = _mm512_load_si512(weights + v * 64);
#pragma GCC unroll 4
      for (int p = 0; p < kPixels; ++p) {
        multiply_add(acc[p][v], _mm512_load_si512(columns + p * step + v * 64), w);
      }
    }
  }
#pragma GCC unroll 4
  for (int p = 0; p < kPixels; ++p) {
    store(acc[p], a, (q + p) * a.dst_pitch + c0 * bytes, (q + p) * a.residual_pitch + c0, c0, a.channels - c0, k);
  }
}

void columns_row(const DepthwiseRow& a, Columns& columns) {
  const EpilogueConstants k = load_constants(*a.epilogue);
  const int most = columns.outputs(a), step = a.stride_w * columns.bytes();
  const std::byte* weights = a.weights;
  for (int c0 = 0; c0 < a.channels; c0 += 64, weights += columns.bytes() * a.kernel_w) {
    for (int first = 0; first < a.q; first += most) {
      const int count = a.q - first < most ? a.q - first : most;
      columns.fill(a, first * a.stride_w - a.pad_left, (count - 1) * a.stride_w + a.kernel_w, c0);
      int q = 0;
      for (; q + 4 <= count; q += 4) {
        pixels_of_columns<4>(a, columns.at(q * a.stride_w), step, weights, first + q, c0, k);
      }
      for (; q < count; ++q) {
        pixels_of_columns<1>(a, columns.at(q * a.stride_w), step, weights, first + q, c0, k);
      }
    }
  }
}

// A kernel whose columns do not fit.
void large_row(const DepthwiseRow& a) {
  const Source source(a);
  const EpilogueConstants k = load_constants(*a.epilogue);
  const int bytes = a.epilogue->out == Out::kF32 ? 4 : 1;
  const int column_groups = (a.kernel_h + 3) / 4;
  const std::byte* weights = a.weights;
  for (int c0 = 0; c0 < a.channels; c0 += 64, weights += 256 * column_groups * a.kernel_w) {
    const __mmask64 mask = first_bytes(a.channels - c0);
    for (int q = 0; q < a.q; ++q) {
      __m512i acc[4];
      load_start(a.start + c0, acc);
      const std::byte* w = weights;
      for (int s = 0; s < a.kernel_w; ++s) {
        const int x = q * a.stride_w - a.pad_left + s;
        const bool inside = x >= 0 && x < a.w;
        for (int g = 0; g < column_groups; ++g, w += 256) {
          multiply(acc, load_column(a, source, g * 4, inside ? x * a.pixel_bytes + c0 : 0, inside ? mask : 0), w);
        }
      }
      store(acc, a, q * a.dst_pitch + c0 * bytes, q * a.residual_pitch + c0, c0, a.channels - c0, k);
    }
  }
}

}  // namespace

void depthwise_general_row_avx512(const DepthwiseRow& a) {
  Columns columns(a);
  columns.outputs(a) > 0 ? columns_row(a, columns) : large_row(a);
}

}  // namespace gpueval::cpu
#endif
