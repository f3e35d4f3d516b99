// SPDX-License-Identifier: Apache-2.0
// Dense layers of few images, bound by reading the weights [C][K] once: a block makes 32 output channels of up to four
// images; eight threads cover the channels, four each, and 32 such rows of threads share the depth, so that a warp
// reads 128 bytes of four depths. Where a tile of 64 rows would leave 60 idle, this reads at the memory's speed.
// Shared memory (float32): partial sums [32 depths][4 images][32 channels], added up in a fixed order.
#include "cuda/ops/float_conv.h"
#include "cuda/prim/shared.h"
#include "cuda/prim/thread.h"
#include "cuda/runtime/launch.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

constexpr int kChannels = 32, kSlices = 32, kImages = 4, kThreads = kChannels / 4 * kSlices;
constexpr std::uint32_t kSums = kSlices * kImages * kChannels;

template <typename T>
struct DenseParams {
  FloatView<const T> src;
  const T* weights;
  FloatEpilogue<T> epilogue;
  int n, c, k;
  bool wide_k;
};

template <typename T>
GPUEVAL_DEVICE Floats<4> load_weights(const DenseParams<T>& p, int depth, int k) {
  const T* address = p.weights + static_cast<std::int64_t>(depth) * p.k + k;
  if (p.wide_k) return load_floats<4>(address);
  Floats<4> x = {};
  for (int i = 0; i < 4; ++i) {
    if (k + i < p.k) x.v[i] = load_floats<1>(address + i).v[0];
  }
  return x;
}

template <typename T>
GPUEVAL_KERNEL(kThreads)
dense_float_kernel(const DenseParams<T> p) {
  const Shared<float> sums(0, kSums);
  const int thread = static_cast<int>(thread_index().x);
  const int first_k = static_cast<int>(block_index().x) * kChannels;
  const int first_image = static_cast<int>(block_index().y) * kImages;
  const int slice = thread / (kChannels / 4), column = thread % (kChannels / 4) * 4;
  float acc[kImages][4] = {};
  if (first_k + column < p.k) {
    for (int depth = slice; depth < p.c; depth += kSlices) {
      const Floats<4> w = load_weights(p, depth, first_k + column);
      GPUEVAL_UNROLL
      for (int i = 0; i < kImages; ++i) {
        if (first_image + i >= p.n) break;
        const float x = load_floats<1>(p.src.at(first_image + i, depth)).v[0];
        GPUEVAL_UNROLL
        for (int j = 0; j < 4; ++j) acc[i][j] = fma_rn(x, w.v[j], acc[i][j]);
      }
    }
  }
  GPUEVAL_UNROLL
  for (int i = 0; i < kImages; ++i) {
    GPUEVAL_UNROLL
    for (int j = 0; j < 4; ++j) sums[(slice * kImages + i) * kChannels + column + j] = acc[i][j];
  }
  block_barrier();
  const int image = thread / kChannels, k = thread % kChannels;
  if (image >= kImages || first_image + image >= p.n || first_k + k >= p.k) return;
  float sum = 0;
  for (int i = 0; i < kSlices; ++i) sum += sums[(i * kImages + image) * kChannels + k];
  finish_floats<1>(p.epilogue, first_image + image, first_k + k, {{sum}});
}

}  // namespace

void conv_float_dense(const FloatConvCall& call) {
  const ConvDesc& d = call.desc;
  with_float_type(call.src.dtype, "conv_float", [&]<typename T>() {
    const bool wide = d.k % 4 == 0 && reinterpret_cast<std::uintptr_t>(call.weights) % (4 * sizeof(T)) == 0;
    const DenseParams<T> params{.src = {static_cast<const T*>(call.src.data), call.src.pitch},
                                .weights = static_cast<const T*>(call.weights),
                                .epilogue = float_epilogue<T>(call),
                                .n = d.n,
                                .c = d.c,
                                .k = d.k,
                                .wide_k = wide};
    const Grid grid{.x = static_cast<unsigned>((d.k + kChannels - 1) / kChannels),
                    .y = static_cast<unsigned>((d.n + kImages - 1) / kImages)};
    launch(call.stream, "conv_float_dense", grid, kThreads, kSums * sizeof(float), &dense_float_kernel<T>, params);
  });
}

}  // namespace gpueval::GPUEVAL_TARGET
