// SPDX-License-Identifier: Apache-2.0
#include "cuda/engine/image_upload.h"
#include "cuda/runtime/tables.h"

#include <cstddef>
#include <cstring>

namespace gpueval::cuda {

void ImageUpload::enqueue(Runtime& runtime, std::span<const Image> images, const PixelTable& table,
                          const DeviceView& dst, Stream stream) {
  std::size_t total = sizeof(table.values);
  for (const Image& image : images) total += image.rgb.size();
  if (bytes_.size() < total) {
    staging_ = PinnedBuffer(runtime, total);
    bytes_ = DeviceBuffer(runtime, total);
  }
  auto* const host = static_cast<std::byte*>(staging_.data());
  auto* const device = static_cast<std::byte*>(bytes_.data());
  std::memcpy(host, table.values.data(), sizeof(table.values));
  std::size_t at = sizeof(table.values);
  for (const Image& image : images) {
    std::memcpy(host + at, image.rgb.data(), image.rgb.size());
    at += image.rgb.size();
  }
  runtime.copy_to_device(device, host, total, stream);
  at = sizeof(table.values);
  const auto same_size = [](const Image& a, const Image& b) { return a.height == b.height && a.width == b.width; };
  for (std::size_t first = 0, count = 0; first < images.size(); first += count) {  // runs of one size, a kernel each
    const Image& image = images[first];
    for (count = 1; first + count < images.size() && same_size(image, images[first + count]);) ++count;
    const int n = static_cast<int>(count);
    DeviceView to = dst;
    to.shape.n = n;
    to.data = static_cast<float*>(dst.data) + static_cast<std::int64_t>(first) * dst.shape.h * dst.shape.w * dst.pitch;
    ops_of(runtime).preprocess({device + at, DType::kU8, {n, image.height, image.width, 3}, 3},
                               reinterpret_cast<const float*>(device), table.bgr, 1.0f, to, stream);
    at += count * image.rgb.size();
  }
}

}  // namespace gpueval::cuda
