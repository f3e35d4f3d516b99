// SPDX-License-Identifier: Apache-2.0
// Copies into tensors and fills them of any element type, slices and offsets included. A thread moves one unit: the
// largest of 16, 4, 2 and 1 bytes that divides the addresses, the pitches and the bytes of a pixel. No shared memory.
#include "cuda/ops/device_ops.h"
#include "cuda/ops/integer_view.h"
#include "cuda/prim/previous_kernel.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

struct CopyParams {
  const std::byte* src;
  std::byte* dst;
  std::int64_t src_pitch, dst_pitch;  // bytes
  int units;                          // of a pixel
  int h, w;                           // of what is copied or filled
  int dst_h, dst_w, top, left;
  std::uint32_t word;  // that fills
  unsigned threads;
};

template <typename T, bool kFill>
GPUEVAL_KERNEL(kOpThreads)
copy_kernel(const CopyParams a) {
  begin_behind_previous_kernel();
  const unsigned thread = op_thread();
  if (thread >= a.threads) return;
  const auto units = static_cast<unsigned>(a.units), w = static_cast<unsigned>(a.w), h = static_cast<unsigned>(a.h);
  const unsigned pixel = thread / units, row = pixel / w;
  const auto offset = static_cast<std::int64_t>(thread % units) * static_cast<std::int64_t>(sizeof(T));
  const std::int64_t y = static_cast<std::int64_t>(row / h) * a.dst_h + row % h + a.top;
  const std::int64_t to = (y * a.dst_w + pixel % w + a.left) * a.dst_pitch + offset;
  if constexpr (!kFill) {
    store_global(a.dst + to, load_global<T>(a.src + static_cast<std::int64_t>(pixel) * a.src_pitch + offset));
  } else if constexpr (sizeof(T) == 16) {
    store_global(a.dst + to, Bytes16{{a.word, a.word, a.word, a.word}});
  } else {
    store_global(a.dst + to, static_cast<T>(a.word));
  }
}

template <bool kFill>
void launch_copy(const char* name, CopyParams params, int images, std::size_t pixel_bytes, std::size_t unit,
                 Stream stream) {
  const std::int64_t units = static_cast<std::int64_t>(pixel_bytes / unit);
  const std::int64_t threads = std::int64_t{images} * params.h * params.w * units;
  params.units = static_cast<int>(units);
  params.threads = static_cast<unsigned>(threads);
  const auto kernel = unit == 16  ? copy_kernel<Bytes16, kFill>
                      : unit == 4 ? copy_kernel<std::uint32_t, kFill>
                      : unit == 2 ? copy_kernel<std::uint16_t, kFill>
                                  : copy_kernel<std::uint8_t, kFill>;
  launch_early(stream, name, op_grid(name, threads), kOpThreads, 0, kernel, params);
}

std::size_t pixel_bytes(const DeviceView& view) { return static_cast<std::size_t>(view.shape.c) * size_of(view.dtype); }

std::size_t largest_unit(const DeviceView& view) {
  for (const std::size_t unit : {std::size_t{16}, std::size_t{4}, std::size_t{2}}) {
    if (aligned(view, unit) && pixel_bytes(view) % unit == 0) return unit;
  }
  return 1;
}

CopyParams make_params(const DeviceView& dst, int h, int w, int top, int left) {
  return {.dst = static_cast<std::byte*>(dst.data),
          .dst_pitch = dst.pitch * static_cast<std::int64_t>(size_of(dst.dtype)),
          .h = h,
          .w = w,
          .dst_h = dst.shape.h,
          .dst_w = dst.shape.w,
          .top = top,
          .left = left};
}

}  // namespace

void copy(const DeviceView& src, const DeviceView& dst, int top, int left, Stream stream) {
  cuda::expect_inside("copy", src, dst, top, left);
  CopyParams params = make_params(dst, src.shape.h, src.shape.w, top, left);
  params.src = static_cast<const std::byte*>(src.data);
  params.src_pitch = src.pitch * static_cast<std::int64_t>(size_of(src.dtype));
  const std::size_t unit = largest_unit(src) < largest_unit(dst) ? largest_unit(src) : largest_unit(dst);
  launch_copy<false>("copy", params, src.shape.n, pixel_bytes(src), unit, stream);
}

void fill(const DeviceView& dst, int byte, Stream stream) {
  CopyParams params = make_params(dst, dst.shape.h, dst.shape.w, 0, 0);
  params.word = static_cast<std::uint32_t>(byte) * 0x01010101u;
  launch_copy<true>("fill", params, dst.shape.n, pixel_bytes(dst), largest_unit(dst), stream);
}

}  // namespace gpueval::GPUEVAL_TARGET
