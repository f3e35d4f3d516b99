// SPDX-License-Identifier: Apache-2.0
#include "io/data/encode_picture.h"

#include <turbojpeg.h>

#include <algorithm>
#include <memory>
#include <opencv2/imgproc.hpp>

#include "gpueval/error.h"
#include "io/data/palette_png.h"

namespace gpueval {

PictureSize shrunk_size(const PictureSize& size, int side) {
  const int longer = std::max(size.height, size.width);
  if (longer <= side) return size;
  const auto length = [&](int of) {
    return std::max(1, static_cast<int>((std::int64_t{of} * side + longer / 2) / longer));
  };
  return {length(size.height), length(size.width)};
}

Image shrunk(const Image& image, int side) {
  const PictureSize size = shrunk_size({image.height, image.width}, side);
  if (size.height == image.height && size.width == image.width) return image;
  Image result{size.height, size.width, {}};
  result.rgb.resize(static_cast<std::size_t>(result.height) * static_cast<std::size_t>(result.width) * 3);
  const cv::Mat from(image.height, image.width, CV_8UC3, const_cast<std::uint8_t*>(image.rgb.data()));
  cv::Mat to(result.height, result.width, CV_8UC3, result.rgb.data());
  cv::resize(from, to, to.size(), 0, 0, cv::INTER_AREA);
  return result;
}

LabelMap shrunk(const LabelMap& map, int height, int width) {
  LabelMap result{height, width, {}};
  result.classes.reserve(static_cast<std::size_t>(height) * static_cast<std::size_t>(width));
  const auto source = [](int i, int n, int of) { return (2 * std::int64_t{i} + 1) * of / (2 * std::int64_t{n}); };
  for (int y = 0; y < height; ++y) {
    const auto row = static_cast<std::size_t>(source(y, height, map.height) * map.width);
    for (int x = 0; x < width; ++x)
      result.classes.push_back(map.classes[row + static_cast<std::size_t>(source(x, width, map.width))]);
  }
  return result;
}

std::vector<std::uint8_t> encode_jpeg(const Image& image, int quality) {
  const std::unique_ptr<void, int (*)(tjhandle)> encoder(tjInitCompress(), tjDestroy);
  if (!encoder) fail("libjpeg-turbo cannot be initialised: {}", tjGetErrorStr2(nullptr));
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  const int status = tjCompress2(encoder.get(), image.rgb.data(), image.width, 0, image.height, TJPF_RGB, &bytes, &size,
                                 TJSAMP_420, quality, 0);
  const std::unique_ptr<unsigned char, void (*)(unsigned char*)> owner(bytes, tjFree);
  if (status != 0)
    fail("a picture of {} x {} cannot be made a JPEG: {}", image.width, image.height, tjGetErrorStr2(encoder.get()));
  return {bytes, bytes + size};
}

std::vector<std::uint8_t> encode_overlay(const LabelMap& map, std::span<const TranslucentColor, 256> colors) {
  const std::span<const std::uint8_t> palette(colors.front().data(), colors.size() * colors.front().size());
  return encode_palette_png(map, palette, fmt::format("a label map of {} x {}", map.width, map.height));
}

}  // namespace gpueval
