// SPDX-License-Identifier: Apache-2.0
#include "task/segmentation/upsample.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <functional>

#include "gpueval/truth.h"

namespace gpueval {
namespace {

// Between two source pixels: (1 - weight) of the first.
struct Tap {
  int first = 0, second = 0;
  float weight = 0;
};

std::vector<Tap> taps(int from, int to, Upsample upsample) {
  std::vector<Tap> result;
  for (int i = 0; i < to; ++i) {
    const double at = upsample == Upsample::kHalfPixel ? (i + 0.5) * from / to - 0.5
                      : to == 1                        ? 0
                                                       : static_cast<double>(i) * (from - 1) / (to - 1);
    const double cut = std::clamp(at, 0.0, from - 1.0);
    const int first = std::min(static_cast<int>(cut), from - 1);
    result.push_back({first, std::min(first + 1, from - 1), static_cast<float>(cut - first)});
  }
  return result;
}

using Row = std::vector<float>;
using RowSource = std::function<std::span<const float>(int row)>;  // valid until the call after the next one

// Rows of a bilinearly resized map, which are asked for from the top to the bottom.
class ResizedRows {
 public:
  ResizedRows(RowSource source, int channels, const std::vector<Tap>& rows, std::vector<Tap> columns)
      : source_(std::move(source)), channels_(channels), rows_(rows), columns_(std::move(columns)) {
    for (Row& row : wide_) row.resize(columns_.size() * static_cast<std::size_t>(channels));
    mixed_[0].resize(wide_[0].size());
    mixed_[1].resize(wide_[0].size());
  }

  std::span<const float> row(int y) {
    const Tap& tap = rows_[static_cast<std::size_t>(y)];
    const Row& a = widened(tap.first);
    const Row& b = widened(tap.second);
    Row& out = mixed_[static_cast<std::size_t>(y % 2)];
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = a[i] + (b[i] - a[i]) * tap.weight;
    return out;
  }

 private:
  const Row& widened(int y) {
    const auto slot = static_cast<std::size_t>(y % 2);
    if (held_[slot] == y) return wide_[slot];
    held_[slot] = y;
    const std::span<const float> row = source_(y);
    const auto channels = static_cast<std::size_t>(channels_);
    float* out = wide_[slot].data();
    for (const Tap& tap : columns_) {
      const float* a = row.data() + static_cast<std::size_t>(tap.first) * channels;
      const float* b = row.data() + static_cast<std::size_t>(tap.second) * channels;
      for (std::size_t c = 0; c < channels; ++c) *out++ = a[c] + (b[c] - a[c]) * tap.weight;
    }
    return wide_[slot];
  }

  RowSource source_;
  int channels_;
  std::vector<Tap> rows_, columns_;
  std::array<Row, 2> wide_, mixed_;
  std::array<int, 2> held_{-1, -1};
};

std::uint8_t class_of(std::span<const float> logits) {
  if (logits.size() == 1) return std::isnan(logits[0]) ? LabelMap::kVoid : logits[0] > 0 ? 1 : 0;
  std::size_t best = 0;
  for (std::size_t c = 0; c < logits.size(); ++c) {
    if (std::isnan(logits[c])) return LabelMap::kVoid;
    if (logits[c] > logits[best]) best = c;
  }
  return static_cast<std::uint8_t>(best);
}

}  // namespace

std::vector<std::uint8_t> label_pixels(std::span<const float> logits, const Shape& map, const Shape& input,
                                       Upsample upsample, const Geometry& geometry, int height, int width) {
  const auto channels = static_cast<std::size_t>(map.c);
  const std::size_t line = static_cast<std::size_t>(map.w) * channels;
  ResizedRows whole([&](int y) { return logits.subspan(static_cast<std::size_t>(y) * line, line); }, map.c,
                    taps(map.h, input.h, upsample), taps(map.w, input.w, upsample));
  const auto shown = [&](int y) {
    return whole.row(geometry.top + y)
        .subspan(static_cast<std::size_t>(geometry.left) * channels,
                 static_cast<std::size_t>(geometry.width) * channels);
  };
  ResizedRows picture(shown, map.c, taps(geometry.height, height, Upsample::kHalfPixel),
                      taps(geometry.width, width, Upsample::kHalfPixel));
  std::vector<std::uint8_t> classes;
  classes.reserve(static_cast<std::size_t>(height) * static_cast<std::size_t>(width));
  for (int y = 0; y < height; ++y) {
    const std::span<const float> row = picture.row(y);
    for (std::size_t i = 0; i < row.size(); i += channels) classes.push_back(class_of(row.subspan(i, channels)));
  }
  return classes;
}

}  // namespace gpueval
