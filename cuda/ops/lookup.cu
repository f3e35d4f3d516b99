// SPDX-License-Identifier: Apache-2.0
// A byte for each byte. 16 channels a thread, as eltwise.cu; the table lies in shared memory (256 bytes, one brought by
// each thread), where a warp's accesses collide only by chance.
#include "cuda/ops/device_ops.h"
#include "cuda/ops/integer_view.h"
#include "cuda/prim/previous_kernel.h"
#include "cuda/prim/shared.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

constexpr unsigned kTableBytes = 256;
static_assert(kTableBytes == kOpThreads, "each thread brings a byte");

struct LookupParams {
  ByteView src, dst;
  const std::uint8_t* table;
  int channels, groups;
  unsigned threads;
};

GPUEVAL_KERNEL(kOpThreads)
lookup_kernel(const LookupParams p) {
  begin_behind_previous_kernel();
  const Shared<std::uint8_t> table(0, kTableBytes);
  table[thread_index().x] = p.table[thread_index().x];
  block_barrier();
  const unsigned thread = op_thread();
  if (thread >= p.threads) return;
  const ChannelPlace at = channel_place(thread, p.groups, p.channels);
  const Bytes16 q = load_channels(p.src, at.pixel, at.channel, at.count);
  Bytes16 out;
  GPUEVAL_UNROLL
  for (int w = 0; w < 4; ++w) {
    out.word[w] = 0;
    GPUEVAL_UNROLL
    for (int i = 0; i < 4; ++i) {
      const std::uint32_t byte = q.word[w] >> 8 * i & 0xff;
      out.word[w] |= static_cast<std::uint32_t>(table[byte]) << 8 * i;
    }
  }
  store_channels(p.dst, at.pixel, at.channel, at.count, out);
}

}  // namespace

void lookup(const DeviceView& src, const std::uint8_t* table, const DeviceView& dst, Stream stream) {
  constexpr const char* kName = "lookup";
  cuda::expect_shape(kName, src.shape, dst);
  const int groups = channel_groups(src);
  const std::int64_t threads = src.shape.pixels() * groups;
  const Grid grid = op_grid(kName, threads);
  ByteView from = byte_view(kName, src);
  from.flips = 0;  // bytes as they are stored
  launch_early(stream, kName, grid, kOpThreads, kTableBytes, lookup_kernel,
               LookupParams{.src = from,
                            .dst = byte_view(kName, dst),
                            .table = table,
                            .channels = src.shape.c,
                            .groups = groups,
                            .threads = static_cast<unsigned>(threads)});
}

}  // namespace gpueval::GPUEVAL_TARGET
