// SPDX-License-Identifier: Apache-2.0
#include "io/data/demo_canvas.h"

#include <algorithm>
#include <cstdlib>

namespace gpueval::data {
namespace {

// round(16384 * sin(i * pi / 32)), one quarter wave: libm's sine is not the same everywhere.
constexpr std::array<int, 17> kSine = {0,     1606,  3196,  4756,  6270,  7723,  9102,  10394, 11585,
                                       12665, 13623, 14449, 15137, 15679, 16069, 16305, 16384};
int sine(int angle) {  // 64 steps a turn, scaled by 16384
  angle &= 63;
  const int quarter = angle & 15;
  const int value =
      (angle & 16) != 0 ? kSine[static_cast<std::size_t>(16 - quarter)] : kSine[static_cast<std::size_t>(quarter)];
  return (angle & 32) != 0 ? -value : value;
}

// u, v: the point in the figure's own axes, 1024 = its radius.
bool covers(int shape, int u, int v) {
  const int au = std::abs(u), av = std::abs(v);
  const int square = u * u + v * v;
  constexpr int kUnit = 1024 * 1024;
  switch (shape) {
    case kDisc:
      return square < kUnit * 8 / 10;
    case kRing:
      return square < kUnit * 9 / 10 && square > kUnit * 3 / 10;
    case kSquare:
      return std::max(au, av) < 800;
    case kBar:
      return au < 1024 && av < 420;
    case kTriangle:
      return v < 620 && 7 * au < 4 * (v + 1024);  // slopes of 60 degrees, nearly
    case kCross:
      return (au < 960 && av < 330) || (av < 960 && au < 330);
    case kHexagon:
      return av < 830 && 7 * au + 4 * av < 6710;
    case kCrescent:
      return square < kUnit * 9 / 10 && (u - 480) * (u - 480) + v * v > kUnit / 2;
    case kHalfDisc:
      return u > -380 && (u + 380) * (u + 380) + v * v < kUnit * 11 / 10;
    default:
      return std::max(au, av) < 850 && std::max(au, av) > 480;
  }
}

bool second_color(const Figure& f, int u, int v) {
  const int cell_u = (u + 65536) * f.radius / 1024 / f.period;
  const int cell_v = (v + 65536) * f.radius / 1024 / f.period;
  switch (f.texture) {
    case Texture::kPlain:
      return false;
    case Texture::kStripes:
      return (cell_u & 1) != 0;
    case Texture::kChecker:
      return ((cell_u ^ cell_v) & 1) != 0;
    default:
      return (cell_u & 1) != 0 && (cell_v & 1) != 0;
  }
}

int contrast(const Color& a, const Color& b) {
  return std::abs(a[0] - b[0]) + std::abs(a[1] - b[1]) + std::abs(a[2] - b[2]);
}

}  // namespace

Color random_color(Random& random) {
  return {random.integer(20, 235), random.integer(20, 235), random.integer(20, 235)};
}

Color contrasting_color(Random& random, const Color& other, int distance) {
  Color color = random_color(random);
  for (int attempt = 0; attempt < 8 && contrast(color, other) < distance; ++attempt) color = random_color(random);
  return color;
}

Color shifted(Random& random, const Color& color, int amount) {
  Color result{};
  for (std::size_t i = 0; i < 3; ++i) result[i] = std::clamp(color[i] + random.integer(-amount, amount), 0, 255);
  return result;
}

Figure random_figure(Random& random, int shape, int lo, int hi) {
  Figure f;
  f.shape = shape;
  f.radius = random.integer(lo, hi);
  f.angle = random.integer(-5, 5);
  f.texture = static_cast<Texture>(random.integer(0, 3));
  f.period = random.integer(2, 6);
  return f;
}

Random demo_stream(std::uint64_t seed, std::uint64_t index) {
  Random mixer(seed ^ (index * 0xd1342543de82ef95u));
  return Random(mixer.next());
}

Canvas::Canvas() : pixels_(std::size_t{kDemoSize} * kDemoSize), owners_(pixels_.size()) {}

void Canvas::background(const std::array<Color, 4>& corners) {
  constexpr int kLast = kDemoSize - 1;
  for (int y = 0; y < kDemoSize; ++y) {
    for (int x = 0; x < kDemoSize; ++x) {
      Color& pixel = at(x, y);
      for (std::size_t c = 0; c < 3; ++c) {
        const int top = corners[0][c] * (kLast - x) + corners[1][c] * x;
        const int bottom = corners[2][c] * (kLast - x) + corners[3][c] * x;
        pixel[c] = (top * (kLast - y) + bottom * y) / (kLast * kLast);
      }
    }
  }
}

void Canvas::paint(const Figure& f, std::uint8_t owner) {
  const int cosine = sine(f.angle + 16), sin = sine(f.angle);
  const int reach = f.radius * 3 / 2 + 1;
  for (int y = std::max(0, f.y - reach); y < std::min(kDemoSize, f.y + reach + 1); ++y) {
    for (int x = std::max(0, f.x - reach); x < std::min(kDemoSize, f.x + reach + 1); ++x) {
      const int dx = x - f.x, dy = y - f.y;
      const int u = (dx * cosine + dy * sin) / (16 * f.radius);
      const int v = (dy * cosine - dx * sin) * 4 / (f.stretch * f.radius);
      if (!covers(f.shape, u, v)) continue;
      at(x, y) = second_color(f, u, v) ? f.second : f.color;
      owners_[static_cast<std::size_t>(y * kDemoSize + x)] = owner;
    }
  }
}

Image Canvas::finish(Random& random, int noise, int gain) const {
  Image image{kDemoSize, kDemoSize, std::vector<std::uint8_t>(pixels_.size() * 3)};
  std::size_t i = 0;
  for (const Color& pixel : pixels_) {
    const std::uint64_t bits = random.next();
    const auto byte = [bits](int k) { return static_cast<int>(bits >> (8 * k) & 255); };
    const int common = byte(0) - byte(1);
    for (int c = 0; c < 3; ++c) {
      const int own = byte(2 + 2 * c) - byte(3 + 2 * c);
      const int value = (pixel[static_cast<std::size_t>(c)] - 128) * gain / 64 + 128 + (common + own) * noise / 256;
      image.rgb[i++] = static_cast<std::uint8_t>(std::clamp(value, 0, 255));
    }
  }
  return image;
}

}  // namespace gpueval::data
