// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "gpueval/dataset.h"
#include "gpueval/error.h"

namespace gpueval {
namespace {

constexpr int kOriginalCrop = 224, kOriginalShort = 256;
// Of longer pictures only the middle is resized: nobody sees the rest, and a line of 65,500 pixels would take
// gigabytes.
constexpr int kMaxSideRatio = 32;

struct Geometry {
  int short_side = 0;  // 0: the image is cropped already
  int crop_h = 0, crop_w = 0;
};

Geometry geometry(bool already_cropped, const InputSpec& spec, Resizing resizing) {
  if (already_cropped) return {};
  if (resizing == Resizing::kOriginal) return {kOriginalShort, kOriginalCrop, kOriginalCrop};
  const int side = std::min(spec.height, spec.width);
  // 256 for 224 and 227 as published, 342 for 299; else the proportion of 256 to 224.
  const int short_side = side >= 224 && side <= 227 ? 256 : (side * 8 + 3) / 7;
  return {short_side, spec.height, spec.width};
}

const char* normalization_name(Normalization normalization) {
  return normalization == Normalization::kMinusOneToOne ? "tf" : "caffe-bgr";
}

std::string size_name(int height, int width) {
  return height == width ? fmt::format("{}", height) : fmt::format("{}x{}", height, width);
}

cv::Mat resized(const cv::Mat& image, int height, int width, int interpolation) {
  if (image.rows == height && image.cols == width) return image;
  cv::Mat result;
  cv::resize(image, result, cv::Size(width, height), 0, 0, interpolation);
  return result;
}

cv::Mat center_crop(const cv::Mat& image, int height, int width) {
  return image(cv::Rect((image.cols - width) / 2, (image.rows - height) / 2, width, height));
}

cv::Mat resized_short_side(const cv::Mat& whole, int side) {
  const int least = std::min(whole.rows, whole.cols);
  const int most = least * kMaxSideRatio;
  const cv::Mat image = center_crop(whole, std::min(whole.rows, most), std::min(whole.cols, most));
  const auto scaled = [&](std::int64_t extent) { return static_cast<int>((extent * side + least / 2) / least); };
  return resized(image, scaled(image.rows), scaled(image.cols), cv::INTER_CUBIC);
}

PixelTable make_table(Normalization normalization) {
  constexpr std::array<float, 3> kMean = {103.939f, 116.779f, 123.68f};  // B, G, R
  PixelTable table{.bgr = normalization == Normalization::kCaffeBgr};
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t v = 0; v < 256; ++v) {
      const auto x = static_cast<float>(v);
      table.values[c][v] = normalization == Normalization::kMinusOneToOne ? x / 127.5f - 1.0f : x - kMean[c];
    }
  }
  return table;
}

void normalize(const cv::Mat& image, Normalization normalization, std::span<float> dst) {
  const PixelTable& pixels = pixel_table(normalization);
  const auto& table = pixels.values;
  const bool bgr = pixels.bgr;
  auto out = dst.begin();
  for (int y = 0; y < image.rows; ++y) {
    const std::uint8_t* pixel = image.ptr<std::uint8_t>(y);
    for (int x = 0; x < image.cols; ++x, pixel += 3, out += 3) {
      out[0] = table[0][pixel[bgr ? 2 : 0]];
      out[1] = table[1][pixel[1]];
      out[2] = table[2][pixel[bgr ? 0 : 2]];
    }
  }
}

}  // namespace

Resizing parse_resizing(const std::string& name) {
  if (name == "default") return Resizing::kDefault;
  if (name == "original") return Resizing::kOriginal;
  fail_usage("unknown preprocessing '{}', expected default or original", name);
}

const PixelTable& pixel_table(Normalization normalization) {
  static const PixelTable minus_one_to_one = make_table(Normalization::kMinusOneToOne);
  static const PixelTable caffe = make_table(Normalization::kCaffeBgr);
  return normalization == Normalization::kMinusOneToOne ? minus_one_to_one : caffe;
}

bool only_resizes(const Dataset& data) { return data.images_are_cropped(); }

std::string preprocessing_name(const Dataset& data, const InputSpec& spec, Resizing resizing) {
  const Geometry g = geometry(data.images_are_cropped(), spec, resizing);
  const std::string size = size_name(spec.height, spec.width);
  std::string name;
  int height = g.crop_h, width = g.crop_w;
  if (g.short_side != 0) {
    name = fmt::format("bicubic{}_crop{}", g.short_side, size_name(height, width));
  } else if (data.kind() == "demo") {
    name = "demo96";
    height = width = 96;
  } else {
    name = "crop224";
    height = width = 224;
  }
  if (height != spec.height || width != spec.width) name += "_bilinear" + size;
  return name + "_" + normalization_name(spec.normalization);
}

void preprocess(const Image& image, bool already_cropped, const InputSpec& spec, Resizing resizing,
                std::span<float> dst) {
  GPUEVAL_CHECK(
      image.height > 0 && image.width > 0 &&
          image.rgb.size() == static_cast<std::size_t>(image.height) * static_cast<std::size_t>(image.width) * 3,
      "image of {} x {} with {} bytes", image.height, image.width, image.rgb.size());
  GPUEVAL_CHECK(dst.size() == static_cast<std::size_t>(spec.height) * static_cast<std::size_t>(spec.width) * 3,
                "{} floats for {} x {}", dst.size(), spec.height, spec.width);
  // Images are preprocessed side by side on all cores already: OpenCV's own threads would only compete with them.
  [[maybe_unused]] static const bool single_threaded = (cv::setNumThreads(1), true);
  const auto* bytes = image.rgb.data();
  // OpenCV has no read-only Mat; nothing below writes to this one.
  cv::Mat picture(image.height, image.width, CV_8UC3, const_cast<std::uint8_t*>(bytes));
  const Geometry g = geometry(already_cropped, spec, resizing);
  if (g.short_side != 0) picture = center_crop(resized_short_side(picture, g.short_side), g.crop_h, g.crop_w);
  picture = resized(picture, spec.height, spec.width, cv::INTER_LINEAR);
  normalize(picture, spec.normalization, dst);
}

}  // namespace gpueval
