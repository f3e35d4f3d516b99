// SPDX-License-Identifier: Apache-2.0
#include "gpueval/preprocessing.h"

#include <algorithm>
#include <cstdint>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "gpueval/error.h"
#include "io/data/crop_margin.h"

namespace gpueval {
namespace {

constexpr double kPadding = 128;

// A picture is cut to `source`, that is resized to `size`, and the input's corner is put at `corner` of the result.
struct Placement {
  cv::Rect source;
  cv::Size size;
  cv::Point corner;  // positive where the result is cropped, negative behind padding
  cv::Size input;
};

// The extents of an axis whose scale is `to` pixels for `from`, rounded half up.
int scaled(std::int64_t extent, int to, int from) { return static_cast<int>((extent * to + from / 2) / from); }

// Of longer pictures only the middle is resized: nobody sees the rest, and a line of 65,500 pixels would take
// gigabytes.
int longest(int across, int along_cover, int across_cover) {
  constexpr std::int64_t kMostPixels = 1 << 26;
  const std::int64_t ratio = std::clamp<std::int64_t>(kMostPixels / (std::int64_t{along_cover} * across_cover), 2, 32);
  const std::int64_t most = across * ratio * along_cover / across_cover;
  return static_cast<int>(std::clamp<std::int64_t>(most, 1, INT32_MAX));
}

Placement crop(const cv::Size& picture, const cv::Size& input) {
  // The input and its margin.
  const int side = std::min(input.height, input.width), short_side = crop_short_side(input.height, input.width);
  const cv::Size cover(scaled(input.width, short_side, side), scaled(input.height, short_side, side));
  Placement place{.source = {{}, picture}, .size = cover, .corner = {}, .input = input};
  // The side that needs the larger factor decides.
  if (std::int64_t{picture.height} * cover.width <= std::int64_t{picture.width} * cover.height) {
    place.source.width = std::min(picture.width, longest(picture.height, cover.width, cover.height));
    place.size.width = scaled(place.source.width, cover.height, picture.height);
  } else {
    place.source.height = std::min(picture.height, longest(picture.width, cover.height, cover.width));
    place.size.height = scaled(place.source.height, cover.width, picture.width);
  }
  place.source.x = (picture.width - place.source.width) / 2;
  place.source.y = (picture.height - place.source.height) / 2;
  place.corner = {(place.size.width - input.width) / 2, (place.size.height - input.height) / 2};
  return place;
}

Placement pad(const cv::Size& picture, const cv::Size& input, bool centred) {
  Placement place{.source = {{}, picture}, .size = input, .corner = {}, .input = input};
  if (std::int64_t{picture.height} * input.width >= std::int64_t{picture.width} * input.height) {
    place.size.width = std::max(1, scaled(picture.width, input.height, picture.height));
  } else {
    place.size.height = std::max(1, scaled(picture.height, input.width, picture.width));
  }
  if (centred) place.corner = {-((input.width - place.size.width) / 2), -((input.height - place.size.height) / 2)};
  return place;
}

Placement place(Fit fit, const cv::Size& picture, const cv::Size& input) {
  if (fit == Fit::kCrop) return crop(picture, input);
  if (fit == Fit::kSquash) return {.source = {{}, picture}, .size = input, .corner = {}, .input = input};
  return pad(picture, input, fit == Fit::kPadCentre);
}

Geometry geometry_of(const Placement& p) {
  Geometry g;
  g.scale_y = static_cast<double>(p.source.height) / p.size.height;
  g.scale_x = static_cast<double>(p.source.width) / p.size.width;
  g.offset_y = p.source.y + g.scale_y * p.corner.y;
  g.offset_x = p.source.x + g.scale_x * p.corner.x;
  g.top = std::max(0, -p.corner.y);
  g.left = std::max(0, -p.corner.x);
  g.height = std::min(p.input.height, p.size.height);
  g.width = std::min(p.input.width, p.size.width);
  return g;
}

Geometry behind(const Geometry& first, Geometry second) {
  second.offset_y = first.picture_y(second.offset_y);
  second.offset_x = first.picture_x(second.offset_x);
  second.scale_y *= first.scale_y;
  second.scale_x *= first.scale_x;
  return second;
}

// The pixels in which the centres lie. PIL's sums, which decide where a centre lies between two pixels; OpenCV's
// versions differ there.
std::vector<int> nearest(int from, int to) {
  const double step = static_cast<double>(from) / to;
  std::vector<int> pixels;
  double centre = 0.5 * step;
  for (int i = 0; i < to; ++i, centre += step) pixels.push_back(std::min(static_cast<int>(centre), from - 1));
  return pixels;
}

cv::Mat resized(const cv::Mat& image, const cv::Size& size, Resize resize) {
  cv::Mat result;
  if (resize != Resize::kNearest) {
    cv::resize(image, result, size, 0, 0, resize == Resize::kBilinear ? cv::INTER_LINEAR : cv::INTER_CUBIC);
    return result;
  }
  result.create(size, CV_8UC3);
  const std::vector<int> rows = nearest(image.rows, size.height), columns = nearest(image.cols, size.width);
  for (int y = 0; y < size.height; ++y) {
    const auto* from = image.ptr<cv::Vec3b>(rows[static_cast<std::size_t>(y)]);
    auto* to = result.ptr<cv::Vec3b>(y);
    for (const int x : columns) *to++ = from[x];
  }
  return result;
}

cv::Mat placed(const cv::Mat& picture, const Placement& p, Resize resize) {
  cv::Mat result = picture(p.source);
  if (result.size() != p.size) result = resized(result, p.size, resize);
  if (p.size == p.input) return result;
  const Geometry g = geometry_of(p);
  if (g.height == p.input.height && g.width == p.input.width) return result(cv::Rect(p.corner, p.input));
  cv::Mat padded(p.input, CV_8UC3, cv::Scalar::all(kPadding));
  result.copyTo(padded(cv::Rect(g.left, g.top, g.width, g.height)));
  return padded;
}

void normalize(const cv::Mat& image, const PixelTable& pixels, std::span<float> dst) {
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

// As PIL's mode L: ITU-R 601-2 in integers.
void normalize_grey(const cv::Mat& image, const PixelTable& pixels, std::span<float> dst) {
  auto out = dst.begin();
  for (int y = 0; y < image.rows; ++y) {
    const std::uint8_t* pixel = image.ptr<std::uint8_t>(y);
    for (int x = 0; x < image.cols; ++x, pixel += 3) {
      const unsigned grey = (pixel[0] * 19595u + pixel[1] * 38470u + pixel[2] * 7471u + 0x8000u) >> 16;
      *out++ = pixels.values[0][grey];
    }
  }
}

}  // namespace

Geometry Preprocessing::geometry(int picture_height, int picture_width) const {
  GPUEVAL_CHECK(picture_height > 0 && picture_width > 0 && input.height > 0 && input.width > 0,
                "a picture of {} x {} for an input of {} x {}", picture_height, picture_width, input.height,
                input.width);
  const cv::Size to(input.width, input.height), picture(picture_width, picture_height);
  if (first_crop == 0) return geometry_of(place(fit, picture, to));
  const cv::Size square(first_crop, first_crop);
  return behind(geometry_of(crop(picture, square)), geometry_of(place(fit, square, to)));
}

Geometry Preprocessing::apply(const Image& image, std::span<float> dst) const {
  GPUEVAL_CHECK(
      image.height > 0 && image.width > 0 &&
          image.rgb.size() == static_cast<std::size_t>(image.height) * static_cast<std::size_t>(image.width) * 3,
      "image of {} x {} with {} bytes", image.height, image.width, image.rgb.size());
  GPUEVAL_CHECK((input.channels == 3 || input.channels == 1) && !as_it_is && dst.size() == input.elements(),
                "{} floats of a picture for {} x {} x {}", dst.size(), input.height, input.width, input.channels);
  const Geometry result = geometry(image.height, image.width);
  // Images are preprocessed side by side on all cores already: OpenCV's own threads would only compete with them.
  [[maybe_unused]] static const bool single_threaded = (cv::setNumThreads(1), true);
  const auto* bytes = image.rgb.data();
  // OpenCV has no read-only Mat; nothing below writes to this one.
  cv::Mat picture(image.height, image.width, CV_8UC3, const_cast<std::uint8_t*>(bytes));
  if (first_crop != 0) {
    picture = placed(picture, crop(picture.size(), {first_crop, first_crop}), Resize::kBicubic);
  }
  picture = placed(picture, place(fit, picture.size(), {input.width, input.height}), resize);
  (input.channels == 1 ? normalize_grey : normalize)(picture, pixel_table(input.normalization), dst);
  return result;
}

void Preprocessing::normalize_array(std::span<float> array) const {
  const auto channels = static_cast<std::size_t>(input.channels);
  if (input.normalization == Normalization::kNone) return;
  GPUEVAL_CHECK(channels == 1 || channels == 3, "{} channels", channels);
  const PixelTable table = pixel_table(input.normalization);
  for (std::size_t i = 0; i < array.size(); i += channels) {
    const std::span<float> pixel = array.subspan(i, channels);
    if (table.bgr) std::swap(pixel[0], pixel[2]);
    for (std::size_t c = 0; c < channels; ++c) pixel[c] = table.values[c][static_cast<std::uint8_t>(pixel[c])];
  }
}

}  // namespace gpueval
