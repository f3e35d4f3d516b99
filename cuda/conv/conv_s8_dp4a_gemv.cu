// SPDX-License-Identifier: Apache-2.0
// Dense layers at small batch, by dp4a: every weight is used once per image, so the weights' bandwidth is all that
// counts, and a tile of 64 rows would be empty but for a few.
//
// Tiling: a block of 4 warps computes 4 output channels of all images (at most 8). Its threads stride over the depth in
// chunks of 16 bytes: 4 loads of weights, neighbouring threads at neighbouring addresses, serve every image. Then a
// warp sums across its lanes: in each round a lane keeps half of its sums and sends the other half, so that 32 sums
// cost 31 shuffles, not 160. Shared memory: the sums of each warp, [warp][image * 4 + channel].
//
// Against the tiled kernels: blocks enough for any device (1000 classes: 250), and no barrier in the depth loop.
#include "cuda/conv/conv_kernel.h"
#include "cuda/conv/epilogue.h"
#include "cuda/conv/pack.h"
#include "cuda/prim/dp4a.h"
#include "cuda/prim/previous_kernel.h"
#include "cuda/prim/shared.h"
#include "cuda/prim/thread.h"
#include "cuda/prim/vector.h"
#include "cuda/prim/warp.h"
#include "cuda/runtime/launch.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

constexpr char kName[] = "conv_s8_dp4a_gemv";
constexpr int kWarps = 4, kThreads = kWarps * 32;
constexpr int kChannels = 4;  // of a block
constexpr int kMostImages = 8;

struct GemvParams {
  const std::uint8_t* src;
  const std::int8_t* weights;
  int images, src_pitch, chunks;  // chunks of 16 bytes in the depth
  Epilogue epilogue;
};

// Sums every v[i] over the warp; lane l returns the sum of index l * kValues / 32. kLanes: how far the lanes that still
// hold the same indices are apart.
template <int kValues, int kLanes = 16>
GPUEVAL_DEVICE int warp_sum(const int (&v)[kValues], int lane) {
  if constexpr (kValues == 1) {
    int sum = v[0];
    GPUEVAL_UNROLL
    for (int lanes = kLanes; lanes >= 1; lanes /= 2) sum += shuffle_xor(sum, lanes);
    return sum;
  } else {
    constexpr int kHalf = kValues / 2;
    const bool upper = (lane & kLanes) != 0;
    int kept[kHalf];
    GPUEVAL_UNROLL
    for (int i = 0; i < kHalf; ++i) {
      const int mine = upper ? v[kHalf + i] : v[i], other = upper ? v[i] : v[kHalf + i];
      kept[i] = mine + shuffle_xor(other, kLanes);
    }
    return warp_sum<kHalf, kLanes / 2>(kept, lane);
  }
}

// kImages: at least p.images.
template <bool kUnsigned, int kImages>
GPUEVAL_KERNEL(kThreads, 6)
conv_dp4a_gemv(const GemvParams p) {
  begin_behind_previous_kernel();
  constexpr int kValues = kImages * kChannels;
  const int thread = static_cast<int>(thread_index().x), lane = thread % 32, warp = thread / 32;
  const int first_channel = static_cast<int>(block_index().x) * kChannels;
  const std::int8_t* weights = p.weights + static_cast<std::int64_t>(first_channel) * p.chunks * 16;
  int acc[kValues];
  GPUEVAL_UNROLL
  for (int i = 0; i < kValues; ++i) acc[i] = 0;
  for (int chunk = thread; chunk < p.chunks; chunk += kThreads) {
    Bytes16 w[kChannels];
    GPUEVAL_UNROLL
    for (int j = 0; j < kChannels; ++j) w[j] = load_global<Bytes16>(weights + (j * p.chunks + chunk) * 16);
    GPUEVAL_UNROLL
    for (int image = 0; image < kImages; ++image) {
      if (image >= p.images) break;
      const Bytes16 x = load_global<Bytes16>(p.src + static_cast<std::int64_t>(image) * p.src_pitch + chunk * 16);
      GPUEVAL_UNROLL
      for (int j = 0; j < kChannels; ++j) {
        int& sum = acc[image * kChannels + j];
        GPUEVAL_UNROLL
        for (int i = 0; i < 4; ++i) sum = dp4a<kUnsigned>(x.word[i], w[j].word[i], sum);
      }
    }
  }
  const Shared<int> sums(0, kWarps * kValues);
  const int sum = warp_sum(acc, lane);
  if (lane % (32 / kValues) == 0) sums[warp * kValues + lane * kValues / 32] = sum;
  block_barrier();
  const int image = thread / kChannels, channel = first_channel + thread % kChannels;
  if (image >= p.images || channel >= p.epilogue.k) return;
  int total = 0;
  GPUEVAL_UNROLL
  for (int i = 0; i < kWarps; ++i) total += sums[i * kValues + thread];
  store_output(p.epilogue, image, channel, total);
}

bool supports(const cuda::ConvProblem& problem) {
  const ConvDesc& d = problem.desc;
  const Window& window = d.window;
  return !d.depthwise && d.h == 1 && d.w == 1 && d.p() == 1 && d.q() == 1 && window.kernel_h == 1 &&
         window.kernel_w == 1 && window.pad == Padding{} && d.n <= kMostImages && problem.src_pitch % 16 == 0;
}

std::vector<std::int8_t> pack(const cuda::ConvProblem& problem, std::span<const std::int8_t> weights) {
  return cuda::pack_gemm(problem, weights, kChannels, 16);
}

template <int kImages>
void launch_images(const cuda::ConvProblem& problem, const GemvParams& params, cuda::Stream stream) {
  const Grid grid{.x = static_cast<unsigned>((problem.desc.k + kChannels - 1) / kChannels)};
  launch_early(stream, kName, grid, kThreads, kWarps * kImages * kChannels * sizeof(int),
               problem.src == DType::kU8 ? &conv_dp4a_gemv<true, kImages> : &conv_dp4a_gemv<false, kImages>, params);
}

void launch_gemv(const cuda::ConvProblem& problem, const cuda::ConvArgs& args, int, cuda::Stream stream) {
  const GemvParams params{.src = static_cast<const std::uint8_t*>(args.src),
                          .weights = static_cast<const std::int8_t*>(args.weights),
                          .images = args.n,
                          .src_pitch = problem.src_pitch,
                          .chunks = cuda::round_up(problem.desc.c, 16) / 16,
                          .epilogue = make_epilogue(problem, args)};
  const auto start = args.n == 1   ? launch_images<1>
                     : args.n == 2 ? launch_images<2>
                     : args.n <= 4 ? launch_images<4>
                                   : launch_images<kMostImages>;
  start(problem, params, stream);
}

}  // namespace

extern const cuda::ConvKernel conv_s8_dp4a_gemv = {.name = kName,
                                                   .op = cuda::ConvOp::kConv,
                                                   .min_sm = 75,
                                                   .family = cuda::ConvFamily::kDp4a,
                                                   .supports = supports,
                                                   .pack = pack,
                                                   .workspace = cuda::no_workspace,
                                                   .launch = launch_gemv};

}  // namespace gpueval::GPUEVAL_TARGET
