// SPDX-License-Identifier: Apache-2.0
// Probes of the tensor memory accelerator: a box a block, out of a matrix or, by im2col, of pictures, and plain bytes.
// (The name: compiled for sm_90a alone.)
#include "cuda/prim/probe/probe_kernels.h"
#include "cuda/prim/thread.h"
#include "cuda/prim/tma.h"
#include "cuda/prim/vector.h"
#include "cuda/runtime/launch.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

constexpr std::uint32_t kThreads = 128, kBox = cuda::kTmaProbeRows * 128, kPlain = 64, kBarrier = kBox + kPlain;

struct TmaProbeParams {
  ProbeArgs probe;
  cuda::TensorMap map;
};

template <bool kPixels>
GPUEVAL_KERNEL(kThreads)
tma_probe(GPUEVAL_GRID_CONSTANT const TmaProbeParams p) {
  const std::uint32_t thread = thread_index().x, block = block_index().x;
  if (thread == 0) {
    mbarrier_init(kBarrier, 1);
    mbarrier_init_fence();
  }
  block_barrier();
  if (thread == 0) {
    const int* const at = static_cast<const int*>(p.probe.b) + static_cast<std::size_t>(block) * cuda::kTmaProbeWords;
    mbarrier_arrive_expect(kBarrier, kBox + kPlain);
    if constexpr (kPixels) {
      tma_copy_pixels(0, p.map, at[0], at[1], at[2], at[3], at[4], at[5], kBarrier);
    } else {
      tma_copy_tile(0, p.map, at[1], at[0], kBarrier);
    }
    tma_copy(kBox, static_cast<const std::uint8_t*>(p.probe.c) + static_cast<std::size_t>(block) * kPlain, kPlain,
             kBarrier);
  }
  mbarrier_wait(kBarrier, 0);
  auto* const out = static_cast<std::uint8_t*>(p.probe.out) + static_cast<std::size_t>(block) * (kBox + kPlain);
  for (std::uint32_t i = thread * 16; i < kBox + kPlain; i += kThreads * 16) {
    store_global(out + i, shared_at<Bytes16>(i));
  }
}

TensorMapFields matrix(const void* bytes) {
  constexpr cuda::TmaProbeTensor kTensor;
  return {.address = bytes,
          .strides = {kTensor.pitch},
          .sizes = {kTensor.c, kTensor.w * kTensor.h * kTensor.n},
          .rank = 2,
          .box = {128, cuda::kTmaProbeRows}};
}

TensorMapFields pictures(const void* bytes) {
  constexpr cuda::TmaProbeTensor kTensor;
  return {.address = bytes,
          .strides = {kTensor.pitch, kTensor.pitch * kTensor.w, kTensor.pitch * kTensor.w * kTensor.h},
          .sizes = {kTensor.c, kTensor.w, kTensor.h, kTensor.n},
          .rank = 4,
          .box = {128, cuda::kTmaProbeRows},
          .im2col = true,
          .lower = {kTensor.lower[0], kTensor.lower[1]},
          .upper = {kTensor.upper[0], kTensor.upper[1]},
          .element_strides = {kTensor.strides[0], kTensor.strides[1]}};
}

template <bool kPixels>
void probe_tma(const ProbeArgs& args, cuda::Stream stream) {
  const TmaProbeParams params{args, make_tensor_map("probe_tma", kPixels ? pictures(args.a) : matrix(args.a))};
  launch(stream, "probe_tma", {static_cast<unsigned>(args.n)}, kThreads, kBarrier + 8, tma_probe<kPixels>, params);
}

}  // namespace

const cuda::Probe kTmaProbes[2] = {probe_tma<false>, probe_tma<true>};

}  // namespace gpueval::GPUEVAL_TARGET
