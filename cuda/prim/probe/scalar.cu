// SPDX-License-Identifier: Apache-2.0
// Probes of what one thread does alone: dp4a, float arithmetic, bytes, float16, and where the thread is.
#include "cuda/prim/arithmetic.h"
#include "cuda/prim/bytes.h"
#include "cuda/prim/dp4a.h"
#include "cuda/prim/half.h"
#include "cuda/prim/probe/probe_kernels.h"
#include "cuda/prim/saturate.h"
#include "cuda/prim/thread.h"
#include "cuda/runtime/launch.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

constexpr int kThreads = 128;

GPUEVAL_DEVICE int item() { return static_cast<int>(block_index().x * kThreads + thread_index().x); }

template <bool kUnsignedA>
GPUEVAL_KERNEL(kThreads)
dp4a_probe(const ProbeArgs p) {
  const int i = item();
  if (i >= p.n) return;
  static_cast<int*>(p.out)[i] =
      dp4a<kUnsignedA>(static_cast<const std::uint32_t*>(p.a)[i], static_cast<const std::uint32_t*>(p.b)[i],
                       static_cast<const int*>(p.c)[i]);
}

GPUEVAL_KERNEL(kThreads) arithmetic_probe(const ProbeArgs p) {
  const int i = item();
  if (i >= p.n) return;
  const float a = static_cast<const float*>(p.a)[i], b = static_cast<const float*>(p.b)[i];
  int* out = static_cast<int*>(p.out) + 8 * i;
  out[0] = float_bits(fma_rn(a, b, static_cast<const float*>(p.c)[i]));
  out[1] = abs_of(a) < 2147483648.0f ? round_to_int(a) : 0;
  out[2] = float_bits(divide_rn(a, b));
  out[3] = float_bits(int_to_float(float_bits(a)));
  out[4] = float_bits(min_of(a, b));
  out[5] = float_bits(max_of(a, b));
  out[6] = float_bits(abs_of(bits_float(float_bits(a))));
  out[7] = float_bits(exp_of(a));
}

GPUEVAL_KERNEL(kThreads) bytes_probe(const ProbeArgs p) {
  const int i = item();
  if (i >= p.n) return;
  const std::uint32_t a = static_cast<const std::uint32_t*>(p.a)[i], b = static_cast<const std::uint32_t*>(p.b)[i];
  auto* out = static_cast<std::uint32_t*>(p.out) + 2 * i;
  out[0] = byte_permute(a, b, static_cast<const std::uint32_t*>(p.c)[i]);
  out[1] = max_u8x4(a, b);
}

GPUEVAL_KERNEL(kThreads) saturate_probe(const ProbeArgs p) {
  const int i = item();
  if (i >= p.n) return;
  const float a = static_cast<const float*>(p.a)[i], b = static_cast<const float*>(p.b)[i];
  const std::uint32_t above = static_cast<const std::uint32_t*>(p.c)[i];
  auto* out = static_cast<std::uint32_t*>(p.out) + 2 * i;
  out[0] = saturated_pair<true>(a, b, above);
  out[1] = saturated_pair<false>(a, b, above);
}

GPUEVAL_KERNEL(kThreads) half_probe(const ProbeArgs p) {
  const int i = item();
  if (i >= p.n) return;
  int* out = static_cast<int*>(p.out) + 2 * i;
  out[0] = to_half(static_cast<const float*>(p.a)[i]).bits;
  out[1] = float_bits(to_float({static_cast<std::uint16_t>(i)}));
}

GPUEVAL_DEVICE unsigned encoded(const Index3& i) { return i.x + 1000 * i.y + 1000000 * i.z; }

GPUEVAL_KERNEL(32) place_probe(const ProbeArgs p) {
  const Index3 b = block_index(), g = grid_size();
  const unsigned thread = ((b.z * g.y + b.y) * g.x + b.x) * 32 + thread_index().x;
  auto* out = static_cast<unsigned*>(p.out) + 4 * thread;
  out[0] = encoded(thread_index());
  out[1] = encoded(b);
  out[2] = encoded(g);
  out[3] = encoded(block_size());
}

}  // namespace

void probe_dp4a_s8(const ProbeArgs& args, cuda::Stream stream) {
  launch(stream, "probe_dp4a_s8", {probe_blocks(args.n, kThreads)}, kThreads, 0, dp4a_probe<false>, args);
}
void probe_dp4a_u8(const ProbeArgs& args, cuda::Stream stream) {
  launch(stream, "probe_dp4a_u8", {probe_blocks(args.n, kThreads)}, kThreads, 0, dp4a_probe<true>, args);
}
void probe_arithmetic(const ProbeArgs& args, cuda::Stream stream) {
  launch(stream, "probe_arithmetic", {probe_blocks(args.n, kThreads)}, kThreads, 0, arithmetic_probe, args);
}
void probe_bytes(const ProbeArgs& args, cuda::Stream stream) {
  launch(stream, "probe_bytes", {probe_blocks(args.n, kThreads)}, kThreads, 0, bytes_probe, args);
}
void probe_saturate(const ProbeArgs& args, cuda::Stream stream) {
  launch(stream, "probe_saturate", {probe_blocks(args.n, kThreads)}, kThreads, 0, saturate_probe, args);
}
void probe_half(const ProbeArgs& args, cuda::Stream stream) {
  launch(stream, "probe_half", {probe_blocks(args.n, kThreads)}, kThreads, 0, half_probe, args);
}
void probe_place(const ProbeArgs& args, cuda::Stream stream) {
  launch(stream, "probe_place", {static_cast<unsigned>(args.n), 3, 2}, 32, 0, place_probe, args);
}

}  // namespace gpueval::GPUEVAL_TARGET
