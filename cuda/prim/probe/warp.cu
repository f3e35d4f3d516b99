// SPDX-License-Identifier: Apache-2.0
// Probes of the warp collectives: shuffles, ballot, ldmatrix and the tensor-core products. Two warps a block, so that
// warps are told apart.
#include "cuda/prim/ldmatrix.h"
#include "cuda/prim/mma.h"
#include "cuda/prim/probe/probe_kernels.h"
#include "cuda/prim/thread.h"
#include "cuda/prim/warp.h"
#include "cuda/runtime/launch.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

constexpr int kThreads = 64;
constexpr std::uint32_t kWarpBytes = 2048;  // of ldmatrix

// Lane of the whole grid; warps beyond n leave as a whole.
GPUEVAL_DEVICE int global_lane() { return static_cast<int>(block_index().x * kThreads + thread_index().x); }

GPUEVAL_KERNEL(kThreads) shuffle_probe(const ProbeArgs p) {
  const int i = global_lane();
  if (i >= 32 * p.n) return;
  const int value = static_cast<const int*>(p.a)[i];
  int* out = static_cast<int*>(p.out) + 4 * i;
  out[0] = shuffle_xor(value, 5);
  const float through = shuffle_xor(static_cast<const float*>(p.a)[i], 5);
  static_cast<float*>(p.out)[4 * i + 1] = through;
  out[2] = shuffle(value, static_cast<const int*>(p.b)[i]);
  out[3] = shuffle_xor(value, 8, i % 32 < 16 ? 0x0000ffffu : 0xffff0000u);
}

GPUEVAL_KERNEL(kThreads) ballot_probe(const ProbeArgs p) {
  const int i = global_lane();
  if (i >= 32 * p.n) return;
  const bool odd = (static_cast<const unsigned*>(p.a)[i] & 1) != 0;
  auto* out = static_cast<unsigned*>(p.out) + 2 * i;
  out[0] = ballot(odd);
  out[1] = ballot(odd, 0xffu << (i % 32 / 8 * 8));
}

GPUEVAL_KERNEL(kThreads) ldmatrix_probe(const ProbeArgs p) {
  const int i = global_lane();
  if (i >= 32 * p.n) return;
  const auto base = static_cast<std::uint32_t>(thread_index().x / 32) * kWarpBytes;
  const auto lane = static_cast<std::uint32_t>(i % 32);
  const auto* bytes = static_cast<const std::uint8_t*>(p.a) + static_cast<std::size_t>(i / 32) * kWarpBytes;
  for (std::uint32_t at = lane; at < kWarpBytes; at += 32) shared_at<std::uint8_t>(base + at) = bytes[at];
  warp_barrier();
  std::uint32_t r[4];
  ldmatrix_x4(r, base + static_cast<const std::uint32_t*>(p.b)[i]);
  for (int k = 0; k < 4; ++k) static_cast<std::uint32_t*>(p.out)[4 * i + k] = r[k];
}

template <bool kUnsignedA>
GPUEVAL_KERNEL(kThreads)
mma_m16n8k32_probe(const ProbeArgs p) {
  const int i = global_lane();
  if (i >= 32 * p.n) return;
  std::uint32_t a[4];
  int acc[4];
  for (int k = 0; k < 4; ++k) {
    a[k] = static_cast<const std::uint32_t*>(p.a)[4 * i + k];
    acc[k] = static_cast<const int*>(p.c)[4 * i + k];
  }
  const auto* b = static_cast<const std::uint32_t*>(p.b) + 2 * i;
  mma_m16n8k32<kUnsignedA>(acc, a, b[0], b[1]);
  for (int k = 0; k < 4; ++k) static_cast<int*>(p.out)[4 * i + k] = acc[k];
}

template <bool kUnsignedA>
GPUEVAL_KERNEL(kThreads)
mma_m8n8k16_probe(const ProbeArgs p) {
  const int i = global_lane();
  if (i >= 32 * p.n) return;
  int acc[2];
  for (int k = 0; k < 2; ++k) acc[k] = static_cast<const int*>(p.c)[2 * i + k];
  mma_m8n8k16<kUnsignedA>(acc, static_cast<const std::uint32_t*>(p.a)[i], static_cast<const std::uint32_t*>(p.b)[i]);
  for (int k = 0; k < 2; ++k) static_cast<int*>(p.out)[2 * i + k] = acc[k];
}

void launch_warps(const char* name, void (*kernel)(ProbeArgs), const ProbeArgs& args, cuda::Stream stream,
                  std::size_t shared_bytes = 0) {
  launch(stream, name, {probe_blocks(32 * args.n, kThreads)}, kThreads, shared_bytes, kernel, args);
}

}  // namespace

void probe_shuffle(const ProbeArgs& args, cuda::Stream stream) {
  launch_warps("probe_shuffle", shuffle_probe, args, stream);
}
void probe_ballot(const ProbeArgs& args, cuda::Stream stream) {
  launch_warps("probe_ballot", ballot_probe, args, stream);
}
void probe_ldmatrix(const ProbeArgs& args, cuda::Stream stream) {
  launch_warps("probe_ldmatrix", ldmatrix_probe, args, stream, kThreads / 32 * kWarpBytes);
}
void probe_mma_m16n8k32_s8(const ProbeArgs& args, cuda::Stream stream) {
  launch_warps("probe_mma_m16n8k32_s8", mma_m16n8k32_probe<false>, args, stream);
}
void probe_mma_m16n8k32_u8(const ProbeArgs& args, cuda::Stream stream) {
  launch_warps("probe_mma_m16n8k32_u8", mma_m16n8k32_probe<true>, args, stream);
}
void probe_mma_m8n8k16_s8(const ProbeArgs& args, cuda::Stream stream) {
  launch_warps("probe_mma_m8n8k16_s8", mma_m8n8k16_probe<false>, args, stream);
}
void probe_mma_m8n8k16_u8(const ProbeArgs& args, cuda::Stream stream) {
  launch_warps("probe_mma_m8n8k16_u8", mma_m8n8k16_probe<true>, args, stream);
}

}  // namespace gpueval::GPUEVAL_TARGET
