// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "core/random.h"
#include "gpueval/accuracy.h"

namespace gpueval {
namespace {

class SyntheticDataset : public Dataset {
 public:
  SyntheticDataset(int height, int width, std::size_t count, std::uint64_t seed, int channels)
      : height_(height), width_(width), channels_(channels), count_(count), seed_(seed) {}

  std::size_t size() const override { return count_; }
  int label(std::size_t) const override { return 0; }
  std::string name(std::size_t index) const override { return fmt::format("synthetic image {}", index); }
  std::string path() const override { return "synthetic"; }
  std::string kind() const override { return "synthetic"; }
  bool images_are_cropped() const override { return true; }
  std::string state() const override { return fmt::format("{} x {}, seed {}", height_, width_, seed_); }
  std::optional<ArrayForm> array() const override {
    if (channels_ == 1 || channels_ == 3) return std::nullopt;
    return ArrayForm{{1, height_, width_, channels_}, false};
  }

  // The channels of as many pictures as it takes, from -1 to 1.
  void read(std::size_t index, std::span<float> dst) const override {
    const auto channels = static_cast<std::size_t>(channels_);
    for (std::size_t first = 0; first < channels; first += 3) {
      const Image image = decode(index + first * count_);
      for (std::size_t i = 0; i < image.rgb.size(); ++i) {
        if (first + i % 3 >= channels) continue;
        dst[i / 3 * channels + first + i % 3] = static_cast<float>(image.rgb[i]) / 127.5f - 1.0f;
      }
    }
  }

  // A colour gradient, eight discs and noise: wide ranges and edges, as photographs have.
  Image decode(std::size_t index) const override {
    Random random(seed_ * 0x9e3779b97f4a7c15u + index);
    Image image{height_, width_, {}};
    image.rgb.resize(static_cast<std::size_t>(height_) * static_cast<std::size_t>(width_) * 3);
    struct Disc {
      double y, x, radius, colour[3];
    };
    double corner[3], down[3], right[3];
    for (int c = 0; c < 3; ++c) {
      corner[c] = random.uniform(0, 255);
      down[c] = random.uniform(-255, 255);
      right[c] = random.uniform(-255, 255);
    }
    Disc discs[8];
    for (Disc& disc : discs) {
      disc = {random.uniform(0, 1), random.uniform(0, 1), random.uniform(0.03, 0.3), {}};
      for (double& value : disc.colour) value = random.uniform(0, 255);
    }
    std::uint8_t* pixel = image.rgb.data();
    for (int row = 0; row < height_; ++row) {
      for (int col = 0; col < width_; ++col, pixel += 3) {
        const double y = static_cast<double>(row) / height_, x = static_cast<double>(col) / width_;
        const double* flat = nullptr;
        for (const Disc& disc : discs) {
          if (std::hypot(y - disc.y, x - disc.x) < disc.radius) flat = disc.colour;
        }
        const std::uint64_t noise = random.next();
        for (int c = 0; c < 3; ++c) {
          const double base = flat != nullptr ? flat[c] : corner[c] + down[c] * y + right[c] * x;
          const double value = base + static_cast<double>((noise >> (8 * c)) & 31) - 16;
          pixel[c] = static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0, 255.0)));
        }
      }
    }
    return image;
  }

 private:
  int height_, width_, channels_;
  std::size_t count_;
  std::uint64_t seed_;
};

}  // namespace

std::unique_ptr<Dataset> open_synthetic(int height, int width, std::size_t count, std::uint64_t seed, int channels) {
  return std::make_unique<SyntheticDataset>(height, width, count, seed, channels);
}

}  // namespace gpueval
