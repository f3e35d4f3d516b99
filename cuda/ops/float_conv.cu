// SPDX-License-Identifier: Apache-2.0
// Implicit GEMM in float32 on the ordinary cores, for float32 and float16 tensors: rows are output pixels, columns
// output channels, the depth runs over (r, s, c) as the weights [R][S][C][K] lie in memory. 256 threads make a tile of
// 128 x 64 outputs, 8 x 4 each, or 64 x 64, 4 x 4 each, where the larger one would leave multiprocessors idle.
// A step takes 16 of the depth. Each thread keeps its source rows and a place in the depth, so it divides once. While a
// step is computed the next one's operands wait in registers; between the two a barrier on each side.
// Shared memory (float32): source [16][rows + 4], transposed so that a thread's rows lie together (16-byte loads; the
// pad spreads the transposing stores over banks), then weights [16][64].
// One thread sums an output in the order of the depth: two runs are equal bit for bit, and so are emulator and GPU.
#include "cuda/ops/float_conv.h"

#include "cuda/ops/device_ops.h"
#include "cuda/prim/shared.h"
#include "cuda/prim/thread.h"
#include "cuda/runtime/launch.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

constexpr int kColumns = 64, kDepth = 16, kThreads = 256, kThreadColumns = 4;

struct LargeTile {
  static constexpr int kRows = 128;
};
struct SmallTile {
  static constexpr int kRows = 64;
};

template <typename Tile>
struct Layout {
  static constexpr int kRows = Tile::kRows, kThreadRows = kRows / 16;
  static constexpr int kLoads = kRows / 64;  // of four depths each, a thread and step
  static constexpr int kSourcePitch = kRows + 4;
  static constexpr std::uint32_t kWeights = kDepth * kSourcePitch * sizeof(float);
  static constexpr std::uint32_t kBytes = kWeights + kDepth * kColumns * sizeof(float);
};

struct alignas(16) Float4 {
  float v[4];
};

template <typename T>
struct TiledParams {
  FloatView<const T> src;
  const T* weights;
  FloatEpilogue<T> epilogue;
  int rows, k, depth;
  int h, w, c, p, q;
  Window window;
  bool wide_src, wide_k;  // four depths of a tap, four output channels: one load
};

// First tap of an output pixel: row and column in its image (both may be outside), and the image's first pixel.
struct SourcePixel {
  std::int64_t image;
  int h, w;
};

template <typename T>
GPUEVAL_DEVICE SourcePixel source_pixel(const TiledParams<T>& p, int row) {
  if (row >= p.rows) return {0, -(1 << 28), 0};  // outside with every tap
  const int pixels = p.p * p.q, image = row / pixels, pixel = row % pixels;
  return {static_cast<std::int64_t>(image) * p.h * p.w, pixel / p.q * p.window.stride_h - p.window.pad.top,
          pixel % p.q * p.window.stride_w - p.window.pad.left};
}

// A place in the depth. r reaches kernel_h behind the last one.
struct Depth {
  int r, s, c;
};

template <typename T>
GPUEVAL_DEVICE void advance(const TiledParams<T>& p, Depth& at, int steps) {
  at.c += steps;
  while (at.c >= p.c) {
    at.c -= p.c;
    if (++at.s == p.window.kernel_w) {
      at.s = 0;
      ++at.r;
    }
  }
}

template <typename T>
GPUEVAL_DEVICE const T* source_address(const TiledParams<T>& p, const SourcePixel& pixel, const Depth& at) {
  const int h = pixel.h + at.r, w = pixel.w + at.s;
  const bool inside = at.r < p.window.kernel_h && static_cast<unsigned>(h) < static_cast<unsigned>(p.h) &&
                      static_cast<unsigned>(w) < static_cast<unsigned>(p.w);
  return inside ? p.src.at(pixel.image + static_cast<std::int64_t>(h) * p.w + w, at.c) : nullptr;
}

// Four depths of one row.
template <typename T>
GPUEVAL_DEVICE Floats<4> load_source(const TiledParams<T>& p, const SourcePixel& pixel, Depth at) {
  Floats<4> x = {};
  if (p.wide_src) {
    const T* address = source_address(p, pixel, at);
    if (address != nullptr) x = load_floats<4>(address);
    return x;
  }
  for (int i = 0; i < 4; ++i) {
    const T* address = source_address(p, pixel, at);
    if (address != nullptr) x.v[i] = load_floats<1>(address).v[0];
    advance(p, at, 1);
  }
  return x;
}

// Four output channels of one depth.
template <typename T>
GPUEVAL_DEVICE Floats<4> load_weights(const TiledParams<T>& p, int depth, int k) {
  Floats<4> x = {};
  if (depth >= p.depth) return x;
  const T* address = p.weights + static_cast<std::int64_t>(depth) * p.k + k;
  if (p.wide_k) {
    if (k < p.k) x = load_floats<4>(address);
    return x;
  }
  for (int i = 0; i < 4; ++i) {
    if (k + i < p.k) x.v[i] = load_floats<1>(address + i).v[0];
  }
  return x;
}

template <typename Tile, typename T>
GPUEVAL_KERNEL(kThreads)
conv_float_kernel(const TiledParams<T> p) {
  using L = Layout<Tile>;
  const int thread = static_cast<int>(thread_index().x);
  const int first_row = static_cast<int>(block_index().x) * L::kRows;
  const int first_k = static_cast<int>(block_index().y) * kColumns;
  // Loading: four threads a source row, sixteen a row of weights. Computing: kThreadRows rows and four columns.
  const int load_row = thread / 4, load_depth = thread % 4 * 4;
  const int weight_depth = thread / 16, weight_k = thread % 16 * 4;
  const int row = thread / 16 * L::kThreadRows, column = thread % 16 * kThreadColumns;

  SourcePixel pixel[L::kLoads];
  GPUEVAL_UNROLL
  for (int i = 0; i < L::kLoads; ++i) pixel[i] = source_pixel(p, first_row + load_row + i * 64);
  Depth at{0, 0, 0};
  advance(p, at, load_depth);

  Floats<4> source[L::kLoads], weights;
  const auto load = [&](int step) {
    GPUEVAL_UNROLL
    for (int i = 0; i < L::kLoads; ++i) source[i] = load_source(p, pixel[i], at);
    weights = load_weights(p, step + weight_depth, first_k + weight_k);
    advance(p, at, kDepth);
  };

  float acc[L::kThreadRows][kThreadColumns] = {};
  load(0);
  for (int step = 0; step < p.depth; step += kDepth) {
    GPUEVAL_UNROLL
    for (int i = 0; i < L::kLoads; ++i) {
      GPUEVAL_UNROLL
      for (int j = 0; j < 4; ++j) {
        const int index = (load_depth + j) * L::kSourcePitch + load_row + i * 64;
        shared_at<float>(static_cast<std::uint32_t>(index) * 4u) = source[i].v[j];
      }
    }
    shared_at<Float4>(L::kWeights + static_cast<std::uint32_t>(weight_depth * kColumns + weight_k) *
                                        4u) = {{weights.v[0], weights.v[1], weights.v[2], weights.v[3]}};
    block_barrier();
    if (step + kDepth < p.depth) load(step + kDepth);
    GPUEVAL_UNROLL
    for (int d = 0; d < kDepth; ++d) {
      Float4 a[L::kThreadRows / 4];
      GPUEVAL_UNROLL
      for (int i = 0; i < L::kThreadRows / 4; ++i) {
        a[i] = shared_at<Float4>(static_cast<std::uint32_t>(d * L::kSourcePitch + row + i * 4) * 4u);
      }
      const Float4 b = shared_at<Float4>(L::kWeights + static_cast<std::uint32_t>(d * kColumns + column) * 4u);
      GPUEVAL_UNROLL
      for (int i = 0; i < L::kThreadRows; ++i) {
        GPUEVAL_UNROLL
        for (int j = 0; j < kThreadColumns; ++j) acc[i][j] = fma_rn(a[i / 4].v[i % 4], b.v[j], acc[i][j]);
      }
    }
    block_barrier();
  }

  const int k = first_k + column;
  GPUEVAL_UNROLL
  for (int i = 0; i < L::kThreadRows; ++i) {
    const int out = first_row + row + i;
    if (out >= p.rows) return;
    if (p.wide_k) {
      if (k < p.k) finish_floats<4>(p.epilogue, out, k, {{acc[i][0], acc[i][1], acc[i][2], acc[i][3]}});
    } else {
      GPUEVAL_UNROLL
      for (int j = 0; j < kThreadColumns; ++j) {
        if (k + j < p.k) finish_floats<1>(p.epilogue, out, k + j, {{acc[i][j]}});
      }
    }
  }
}

template <typename Tile, typename T>
void launch_tiled(const TiledParams<T>& params, cuda::Stream stream) {
  const Grid grid{.x = static_cast<unsigned>((params.rows + Tile::kRows - 1) / Tile::kRows),
                  .y = static_cast<unsigned>((params.k + kColumns - 1) / kColumns)};
  launch(stream, "conv_float", grid, kThreads, Layout<Tile>::kBytes, &conv_float_kernel<Tile, T>, params);
}

}  // namespace

void conv_float_tiled(const FloatConvCall& call) {
  const ConvDesc& d = call.desc;
  with_float_type(call.src.dtype, "conv_float", [&]<typename T>() {
    const bool wide_weights = reinterpret_cast<std::uintptr_t>(call.weights) % (4 * sizeof(T)) == 0;
    const TiledParams<T> params{
        .src = {static_cast<const T*>(call.src.data), call.src.pitch},
        .weights = static_cast<const T*>(call.weights),
        .epilogue = float_epilogue<T>(call),
        .rows = static_cast<int>(d.output_pixels()),
        .k = d.k,
        .depth = static_cast<int>(d.depth()),
        .h = d.h,
        .w = d.w,
        .c = d.c,
        .p = d.p(),
        .q = d.q(),
        .window = d.window,
        .wide_src = is_wide({call.src}),
        .wide_k = is_wide({call.dst, call.residual}) && wide_weights,
    };
    // Two blocks on each of a hundred multiprocessors.
    const std::int64_t large_tiles = (d.output_pixels() / LargeTile::kRows + 1) * ((d.k + kColumns - 1) / kColumns);
    if (large_tiles >= 200) {
      launch_tiled<LargeTile>(params, call.stream);
    } else {
      launch_tiled<SmallTile>(params, call.stream);
    }
  });
}

void conv_float(const ConvDesc& desc, const cuda::DeviceView& src, const void* weights, const float* bias,
                const cuda::DeviceView& residual, Activation act, const cuda::DeviceView& dst, cuda::Stream stream) {
  cuda::check_conv_float(desc, src, residual, dst);
  const FloatConvCall call{desc, src, weights, bias, residual, act, dst, stream};
  if (desc.depthwise) return conv_float_depthwise(call);
  const bool one_pixel = desc.h == 1 && desc.w == 1 && desc.window == Window{};
  constexpr int kFewImages = 16;  // beyond, tiles of 64 rows read the weights less often
  if (one_pixel && desc.n <= kFewImages) return conv_float_dense(call);
  conv_float_tiled(call);
}

}  // namespace gpueval::GPUEVAL_TARGET
