// SPDX-License-Identifier: Apache-2.0
// Elements of any type moved by a map (graph/moves.h). A thread moves one unit, neighbouring threads neighbouring units
// of the destination: the largest of 16, 4, 2 and 1 bytes that both sides allow, or an element where channels lie
// apart. No shared memory.
#include "cuda/ops/device_ops.h"
#include "cuda/ops/integer_view.h"
#include "cuda/prim/previous_kernel.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

// Steps and pitches in bytes.
struct MoveParams {
  const std::byte* src;
  std::byte* dst;
  std::int64_t src_pitch, dst_pitch;
  std::int64_t src_image;                           // bytes, or for move_pixels pixels
  std::int64_t step_y = 0, step_x = 0, step_k = 0;  // move_elements
  const PixelSource* sources = nullptr;             // move_pixels
  unsigned element;                                 // bytes
  unsigned units, src_units = 0;                    // of a pixel
  unsigned h, w;                                    // of dst
  unsigned threads;
};

template <typename T>
GPUEVAL_DEVICE void store_unit(const MoveParams& a, unsigned pixel, unsigned unit, const T& value) {
  store_global(a.dst + static_cast<std::int64_t>(pixel) * a.dst_pitch + unit * static_cast<unsigned>(sizeof(T)), value);
}

template <typename T>
GPUEVAL_KERNEL(kOpThreads)
move_pixels_kernel(const MoveParams a) {
  begin_behind_previous_kernel();
  const unsigned thread = op_thread();
  if (thread >= a.threads) return;
  const unsigned pixel = thread / a.units, unit = thread % a.units, pixels = a.h * a.w;
  const PixelSource source = a.sources[pixel % pixels];
  T value = {};
  if (source.pixel >= 0) {
    const std::int64_t from = static_cast<std::int64_t>(pixel / pixels) * a.src_image + source.pixel;
    const std::int64_t channel = static_cast<std::int64_t>(source.channel) * a.element;
    value = load_global<T>(a.src + from * a.src_pitch + channel + unit * static_cast<unsigned>(sizeof(T)));
  }
  store_unit(a, pixel, unit, value);
}

template <typename T>
GPUEVAL_KERNEL(kOpThreads)
move_elements_kernel(const MoveParams a) {
  begin_behind_previous_kernel();
  const unsigned thread = op_thread();
  if (thread >= a.threads) return;
  const unsigned pixel = thread / a.units, unit = thread % a.units, row = pixel / a.w;
  const std::int64_t from =
      static_cast<std::int64_t>(row / a.h) * a.src_image + static_cast<std::int64_t>(row % a.h) * a.step_y +
      static_cast<std::int64_t>(pixel % a.w) * a.step_x + static_cast<std::int64_t>(unit) * a.step_k;
  store_unit(a, pixel, unit, load_global<T>(a.src + from));
}

template <typename T>
GPUEVAL_KERNEL(kOpThreads)
reshape_kernel(const MoveParams a) {
  begin_behind_previous_kernel();
  const unsigned thread = op_thread();
  if (thread >= a.threads) return;
  const std::int64_t from = static_cast<std::int64_t>(thread / a.src_units) * a.src_pitch +
                            thread % a.src_units * static_cast<unsigned>(sizeof(T));
  store_unit(a, thread / a.units, thread % a.units, load_global<T>(a.src + from));
}

// unit: 16, 4, 2 or 1 bytes.
#define GPUEVAL_UNIT_KERNEL(KERNEL, unit) \
  ((unit) == 16  ? KERNEL<Bytes16>        \
   : (unit) == 4 ? KERNEL<std::uint32_t>  \
   : (unit) == 2 ? KERNEL<std::uint16_t>  \
                 : KERNEL<std::uint8_t>)

std::int64_t bytes_of_pixel(const DeviceView& view) {
  return static_cast<std::int64_t>(view.shape.c) * static_cast<std::int64_t>(size_of(view.dtype));
}

MoveParams move_params(const char* name, const DeviceView& src, const DeviceView& dst) {
  cuda::expect_alike(name, src, dst);
  const auto element = static_cast<std::int64_t>(size_of(src.dtype));
  return {.src = static_cast<const std::byte*>(src.data),
          .dst = static_cast<std::byte*>(dst.data),
          .src_pitch = src.pitch * element,
          .dst_pitch = dst.pitch * element,
          .src_image = 0,
          .element = static_cast<unsigned>(element),
          .units = 0,
          .h = static_cast<unsigned>(dst.shape.h),
          .w = static_cast<unsigned>(dst.shape.w),
          .threads = 0};
}

// The largest that divides the addresses, the pitches and, if it has more than one element, these bytes.
std::int64_t largest_move(const DeviceView& src, const DeviceView& dst, std::int64_t bytes) {
  const auto element = static_cast<std::int64_t>(size_of(dst.dtype));
  for (const std::int64_t unit : {std::int64_t{16}, std::int64_t{4}, std::int64_t{2}}) {
    const auto size = static_cast<std::size_t>(unit);
    if (unit <= element || (bytes % unit == 0 && aligned(src, size) && aligned(dst, size))) return unit;
  }
  return element;
}

template <typename Kernel>
void launch_move(const char* name, MoveParams params, const DeviceView& dst, std::int64_t unit, Kernel kernel,
                 Stream stream) {
  const std::int64_t units = bytes_of_pixel(dst) / unit, threads = dst.shape.pixels() * units;
  params.units = static_cast<unsigned>(units);
  params.threads = static_cast<unsigned>(threads);
  launch_early(stream, name, op_grid(name, threads), kOpThreads, 0, kernel, params);
}

}  // namespace

void move_pixels(const DeviceView& src, const PixelSource* sources, const DeviceView& dst, Stream stream) {
  MoveParams params = move_params("move_pixels", src, dst);
  params.sources = sources;
  params.src_image = static_cast<std::int64_t>(src.shape.h) * src.shape.w;
  // Parts of the source's channels begin at multiples of dst's.
  const std::int64_t unit = largest_move(src, dst, bytes_of_pixel(dst));
  launch_move("move_pixels", params, dst, unit, GPUEVAL_UNIT_KERNEL(move_pixels_kernel, unit), stream);
}

void move_elements(const DeviceView& src, const ElementSteps& steps, const DeviceView& dst, Stream stream) {
  MoveParams params = move_params("move_elements", src, dst);
  const std::int64_t element = params.element;
  const bool together =
      steps.k == 1 && steps.first * element % 16 == 0 && steps.y * element % 16 == 0 && steps.x * element % 16 == 0;
  const std::int64_t unit = together ? largest_move(src, dst, bytes_of_pixel(dst)) : element;
  params.src += steps.first * element;
  params.src_image = static_cast<std::int64_t>(src.shape.h) * src.shape.w * src.pitch * element;
  params.step_y = steps.y * element;
  params.step_x = steps.x * element;
  params.step_k = together ? unit : steps.k * element;
  launch_move("move_elements", params, dst, unit, GPUEVAL_UNIT_KERNEL(move_elements_kernel, unit), stream);
}

void reshape(const DeviceView& src, const DeviceView& dst, Stream stream) {
  MoveParams params = move_params("reshape", src, dst);
  // A unit must not reach over the end of a pixel of either.
  const std::int64_t common = bytes_of_pixel(src) % 16 == 0   ? bytes_of_pixel(dst)
                              : bytes_of_pixel(dst) % 16 == 0 ? bytes_of_pixel(src)
                                                              : params.element;
  const std::int64_t unit = largest_move(src, dst, common);
  params.src_units = static_cast<unsigned>(bytes_of_pixel(src) / unit);
  launch_move("reshape", params, dst, unit, GPUEVAL_UNIT_KERNEL(reshape_kernel, unit), stream);
}

#undef GPUEVAL_UNIT_KERNEL

}  // namespace gpueval::GPUEVAL_TARGET
