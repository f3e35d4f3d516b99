// SPDX-License-Identifier: Apache-2.0
// Integer convolutions on the device: the problem, the arguments of one call, and the row of a kernel.
// Dense layers are 1x1 convolutions of one pixel. Exact: every row gives the bits of src/reference/.
//   acc = sum of products; v = fmaf((float)acc, m[k], b[k]); if (residual) v = fmaf((float)r, residual_scale, v)
//   v = min(max(v, lo), hi); q = rint(v). Float32 output: v = max(v, lo), neither upper clamp nor rint.
//
// Layout: NHWC with a pitch, in elements from pixel to pixel. Integer sources: 16-byte aligned, pitch a multiple of 16,
// or of 4 if c <= 4 (the first layer). A kernel may read up to round_up(c, 16) channels of a pixel: what it finds
// beyond c is multiplied by zero weights. It writes the k channels of dst and nothing else.
//
// A problem may have the max pool behind the convolution in it: dst is the pool's tensor then, of integers, and the
// convolution's own is nowhere in memory. The same bits as of the two one after the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "cuda/runtime/stream.h"
#include "gpueval/conv_desc.h"
#include "gpueval/tensor.h"

namespace gpueval::cuda {

enum class ConvOp { kConv, kConvFirst, kDepthwise };

// What does a kernel's products: a word at a time without tiles, dp4a, or tensor cores (by the warp, with the narrow
// instruction of sm_75, by the warpgroup).
enum class ConvFamily { kNaive, kDp4a, kMma, kMmaM8N8K16, kWgmma };

// What a block computes at once, whether the problem fills it or not: output pixels x output channels x bytes of depth.
// 1: as much as there is.
struct ConvTile {
  int pixels = 1, channels = 1, depth = 1;
  bool split_depth = false;  // several blocks share the depth of a tile and add their sums up
};

// What is known when a network is loaded; kernels are chosen, weights packed and timings kept by it.
struct ConvProblem {
  ConvDesc desc;                  // desc.n: the batch
  DType src = DType::kU8;         // kU8 or kS8
  DType dst = DType::kU8;         // kU8, kS8 or kF32
  std::optional<DType> residual;  // kU8 or kS8
  int src_pitch = 0, dst_pitch = 0, residual_pitch = 0;
  // Of u8: what padded taps hold, by depthwise kernels alone; the sources of others bring their padding.
  int src_zero_point = 0;
  // Over the convolution's output: the maximum of its quantized bytes, as max_pool (ops.inc) with a factor of 1. Rows
  // of ConvKernel::pools alone.
  std::optional<Window> pool = {};

  int out_h() const { return pool ? pool->out_h(desc.p()) : desc.p(); }  // of dst
  int out_w() const { return pool ? pool->out_w(desc.q()) : desc.q(); }
  std::int64_t output_pixels() const { return std::int64_t{desc.n} * out_h() * out_w(); }
};

struct ConvArgs {
  int n = 1;  // images of this call, at most desc.n
  const void* src = nullptr;
  const void* weights = nullptr;  // as ConvKernel::pack laid them out
  void* dst = nullptr;
  const void* residual = nullptr;
  const float* m = nullptr;  // k each, device memory
  const float* b = nullptr;
  float lo = 0, hi = 255;
  float residual_scale = 0;
  const float* image_scale = nullptr;  // dynamic quantization: n numbers, each replaces every m[k] of its image
  void* workspace = nullptr;           // ConvKernel::workspace bytes
};

// One row of kernels.inc.
struct ConvKernel {
  const char* name;  // "conv_s8_dp4a_128x64x32": function, file stem, table row, benchmark label
  ConvOp op;
  int min_sm;  // oldest compute capability x 10
  ConvFamily family;
  ConvTile tile;
  // Host only. False: this kernel does not do that problem (a value, never a silent fallback). It is not asked for
  // problems with a pool, or without one, that are not its row's: ask does().
  bool (*supports)(const ConvProblem& problem);
  // Weights [K][R][S][C] (depthwise [R][S][C]) in the kernel's own layout.
  std::vector<std::int8_t> (*pack)(const ConvProblem& problem, std::span<const std::int8_t> weights);
  // Scratch for split-depth kernels, zero before the first call; every call leaves it zero.
  std::size_t (*workspace)(const ConvProblem& problem, int multiprocessors);
  void (*launch)(const ConvProblem& problem, const ConvArgs& args, int multiprocessors, Stream stream);
  int max_sm = std::numeric_limits<int>::max();  // less: what newer GPUs do not have
  bool pools = false;                            // does problems with a pool, and no others

  bool does(const ConvProblem& problem) const { return pools == problem.pool.has_value() && supports(problem); }
  bool runs_on(int sm) const { return min_sm <= sm && sm <= max_sm; }
};

}  // namespace gpueval::cuda
