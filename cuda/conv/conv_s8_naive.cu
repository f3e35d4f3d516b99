// SPDX-License-Identifier: Apache-2.0
// The plain convolution: one thread an output channel of one pixel, no shared memory, every operand from the caches.
// Neighbouring threads are neighbouring channels: they read the same source bytes. It takes any shape and pitch, and is
// what the faster variants are measured against.
#include "cuda/conv/conv_kernel.h"
#include "cuda/conv/epilogue.h"
#include "cuda/conv/implicit_gemm.h"
#include "cuda/conv/pack.h"
#include "cuda/prim/dp4a.h"
#include "cuda/prim/previous_kernel.h"
#include "cuda/prim/thread.h"
#include "cuda/prim/vector.h"
#include "cuda/runtime/launch.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

constexpr int kThreads = 256;

struct NaiveParams {
  GemmShape shape;
  const std::uint8_t* src;
  const std::int8_t* weights;
  int src_pitch;
  int pixel_bytes;  // of a tap's packed weights
  Epilogue epilogue;
};

template <bool kUnsigned>
GPUEVAL_DEVICE int dot(std::uint32_t a, std::uint32_t b, int acc) {
  return dp4a<kUnsigned>(a, b, acc);
}
template <bool kUnsigned>
GPUEVAL_DEVICE int dot(const Bytes16& a, const Bytes16& b, int acc) {
  GPUEVAL_UNROLL
  for (int i = 0; i < 4; ++i) acc = dp4a<kUnsigned>(a.word[i], b.word[i], acc);
  return acc;
}

// Chunk: what is read at once, Bytes16 or, for the packed pixels of a first layer, four bytes.
template <bool kUnsigned, typename Chunk>
GPUEVAL_KERNEL(kThreads)
conv_naive(const NaiveParams p) {
  begin_behind_previous_kernel();
  const GemmShape& g = p.shape;
  const unsigned index = block_index().x * kThreads + thread_index().x, k = static_cast<unsigned>(g.k);
  const int row = static_cast<int>(index / k), channel = static_cast<int>(index % k);
  if (row >= g.rows) return;
  const SourceRow at = source_row(g, row);
  const int pixel_bytes = sizeof(Chunk) == 16 ? p.pixel_bytes : static_cast<int>(sizeof(Chunk));
  const std::int8_t* weights = p.weights + static_cast<std::int64_t>(channel) * (g.kernel_h * g.kernel_w) * pixel_bytes;
  int acc = 0;
  for (int r = 0; r < g.kernel_h; ++r) {
    for (int s = 0; s < g.kernel_w; ++s, weights += pixel_bytes) {
      if (!is_inside(g, at, r, s)) continue;
      const std::uint8_t* src = p.src + static_cast<std::int64_t>(at.pixel + r * g.w + s) * p.src_pitch;
      GPUEVAL_NO_UNROLL
      for (int i = 0; i < pixel_bytes; i += static_cast<int>(sizeof(Chunk))) {
        acc = dot<kUnsigned>(load_global<Chunk>(src + i), load_global<Chunk>(weights + i), acc);
      }
    }
  }
  store_output(p.epilogue, row, channel, acc);
}

bool packed_pixels(const cuda::ConvProblem& problem) { return problem.src_pitch % 16 != 0; }

bool supports(const cuda::ConvProblem& problem) {
  constexpr std::int64_t kMostOutputs = (std::int64_t{1} << 32) - kThreads;  // threads are counted in 32 bits
  return !problem.desc.depthwise && problem.desc.output_pixels() * problem.desc.k <= kMostOutputs &&
         (problem.src_pitch % 16 == 0 || (problem.desc.c <= 4 && problem.src_pitch % 4 == 0));
}

std::vector<std::int8_t> pack(const cuda::ConvProblem& problem, std::span<const std::int8_t> weights) {
  return cuda::pack_padded(problem, weights, 1, packed_pixels(problem) ? 4 : 16);
}

void launch_naive(const cuda::ConvProblem& problem, const cuda::ConvArgs& args, int, cuda::Stream stream) {
  const NaiveParams params{.shape = gemm_shape(problem, args.n),
                           .src = static_cast<const std::uint8_t*>(args.src),
                           .weights = static_cast<const std::int8_t*>(args.weights),
                           .src_pitch = problem.src_pitch,
                           .pixel_bytes = cuda::round_up(problem.desc.c, packed_pixels(problem) ? 4 : 16),
                           .epilogue = make_epilogue(problem, args)};
  const bool is_unsigned = problem.src == DType::kU8;
  auto* const kernel = packed_pixels(problem)
                           ? (is_unsigned ? &conv_naive<true, std::uint32_t> : &conv_naive<false, std::uint32_t>)
                           : (is_unsigned ? &conv_naive<true, Bytes16> : &conv_naive<false, Bytes16>);
  const std::int64_t outputs = static_cast<std::int64_t>(params.shape.rows) * params.shape.k;
  const Grid grid{.x = static_cast<unsigned>((outputs + kThreads - 1) / kThreads)};
  launch_early(stream, "conv_s8_naive", grid, kThreads, 0, kernel, params);
}

}  // namespace

extern const cuda::ConvKernel conv_s8_naive = {.name = "conv_s8_naive",
                                               .op = cuda::ConvOp::kConv,
                                               .min_sm = 75,
                                               .family = cuda::ConvFamily::kNaive,
                                               .supports = supports,
                                               .pack = pack,
                                               .workspace = cuda::no_workspace,
                                               .launch = launch_naive};

}  // namespace gpueval::GPUEVAL_TARGET
