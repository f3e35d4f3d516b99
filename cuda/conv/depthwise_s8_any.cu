// SPDX-License-Identifier: Apache-2.0
// Depthwise convolution of any window and stride. A thread computes four channels of one output pixel: four taps at a
// time, one word each, transposed so that one dp4a a channel sums them: 12 instructions for 16 products. Taps run
// through the window in one list across its rows, so a 7x1 window wastes as little as a 1x7 one. No shared memory;
// reads nothing twice only where windows do not overlap, so 3x3 windows are better off with depthwise_3x3.h.
#include "cuda/conv/depthwise.h"
#include "cuda/prim/dp4a.h"
#include "cuda/prim/previous_kernel.h"
#include "cuda/prim/thread.h"
#include "cuda/runtime/launch.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

constexpr const char* kName = "depthwise_s8_any";
constexpr unsigned kThreads = 128;

template <bool kUnsigned, DepthwiseEnd kEnd>
GPUEVAL_KERNEL(kThreads)
depthwise_any(const DepthwiseParams a) {
  begin_behind_previous_kernel();
  const auto thread = static_cast<int>(block_index().x * kThreads + thread_index().x);
  if (thread >= a.threads) return;
  const DepthwisePlace at = depthwise_place(a, thread, 1, 1);
  const std::uint8_t* image = a.src + static_cast<std::int64_t>(at.image) * a.h * a.w * a.src_pitch + at.channel;
  const std::int8_t* weights = a.weights + at.channel * 4;
  const int y0 = at.p * a.stride_h - a.pad_top, x0 = at.q * a.stride_w - a.pad_left;
  int acc[4] = {0, 0, 0, 0};
  int r = 0, s = 0;
  while (r < a.kernel_h) {
    std::uint32_t taps[4];
    GPUEVAL_UNROLL
    for (int i = 0; i < 4; ++i) {
      const int y = y0 + r, x = x0 + s;
      const bool real = r < a.kernel_h && y >= 0 && y < a.h && x >= 0 && x < a.w;
      taps[i] =
          real ? load_global<std::uint32_t>(image + (static_cast<std::int64_t>(y) * a.w + x) * a.src_pitch) : a.padding;
      if (++s == a.kernel_w) {
        s = 0;
        ++r;
      }
    }
    transpose_4x4(taps);
    const auto four = load_global<Bytes16>(weights);
    weights += static_cast<std::ptrdiff_t>(a.weight_pitch) * 4;
    GPUEVAL_UNROLL
    for (int i = 0; i < 4; ++i) acc[i] = dp4a<kUnsigned>(taps[i], four.word[i], acc[i]);
  }
  DepthwiseOutput<kEnd> output(a.epilogue, at);
  output.start_row(a.epilogue, at, (at.image * a.p + at.p) * a.q + at.q);
  if constexpr (kEnd != DepthwiseEnd::kAny) {
    output.store(a.epilogue, 0,
                 {int_to_float(acc[0]), int_to_float(acc[1]), int_to_float(acc[2]), int_to_float(acc[3])});
  } else {
    output.store(a.epilogue, 0, acc);
  }
}

bool supports(const cuda::ConvProblem& problem) { return problem.desc.depthwise && problem.src_pitch % 4 == 0; }

void launch_row(const cuda::ConvProblem& problem, const cuda::ConvArgs& args, int, cuda::Stream stream) {
  const DepthwiseParams params = make_depthwise_params(problem, args, 1, 1);
  const Grid grid{.x = ceil_div(static_cast<unsigned>(params.threads), kThreads)};
  const bool is_unsigned = problem.src == DType::kU8;
  const auto kernel = kernel_of(params.end, [&]<DepthwiseEnd kEnd>() {
    return is_unsigned ? depthwise_any<true, kEnd> : depthwise_any<false, kEnd>;
  });
  launch_early(stream, kName, grid, kThreads, 0, kernel, params);
}

}  // namespace

extern const cuda::ConvKernel depthwise_s8_any;
const cuda::ConvKernel depthwise_s8_any = {.name = kName,
                                           .op = cuda::ConvOp::kDepthwise,
                                           .min_sm = 75,
                                           .family = cuda::ConvFamily::kDp4a,
                                           .supports = supports,
                                           .pack = cuda::pack_depthwise_taps,
                                           .workspace = cuda::no_workspace,
                                           .launch = launch_row};

}  // namespace gpueval::GPUEVAL_TARGET
