// SPDX-License-Identifier: Apache-2.0
#include "io/data/demo_images.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "core/random.h"

namespace gpueval::data {
namespace {

using Color = std::array<int, 3>;

enum Form : int { kDisc, kRing, kSquare, kBar, kTriangle, kCross, kHexagon, kCrescent, kHalfDisc, kFrame };
enum class Texture { kPlain, kStripes, kChecker, kDots };

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

struct Figure {
  int shape = kDisc;
  int x = 0, y = 0;  // centre, pixels
  int radius = 0;    // pixels
  int angle = 0;     // 64 steps a turn
  int stretch = 64;  // the second axis is radius * stretch / 64
  Color color{}, second{};
  Texture texture = Texture::kPlain;
  int period = 8;  // of the texture, pixels
};

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

Color random_color(Random& random) {
  return {random.integer(20, 235), random.integer(20, 235), random.integer(20, 235)};
}

int contrast(const Color& a, const Color& b) {
  return std::abs(a[0] - b[0]) + std::abs(a[1] - b[1]) + std::abs(a[2] - b[2]);
}

// A color at least `distance` away from `other`; the last try stands (a few pictures are hard to see, as in real data).
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

class Canvas {
 public:
  Canvas() { pixels_.resize(std::size_t{kDemoSize} * kDemoSize); }

  // A plane between four corner colors.
  void background(const std::array<Color, 4>& corners) {
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

  void paint(const Figure& f) {
    const int cosine = sine(f.angle + 16), sin = sine(f.angle);
    const int reach = f.radius * 3 / 2 + 1;
    for (int y = std::max(0, f.y - reach); y < std::min(kDemoSize, f.y + reach + 1); ++y) {
      for (int x = std::max(0, f.x - reach); x < std::min(kDemoSize, f.x + reach + 1); ++x) {
        const int dx = x - f.x, dy = y - f.y;
        const int u = (dx * cosine + dy * sin) / (16 * f.radius);
        const int v = (dy * cosine - dx * sin) * 4 / (f.stretch * f.radius);
        if (covers(f.shape, u, v)) at(x, y) = second_color(f, u, v) ? f.second : f.color;
      }
    }
  }

  // Adds noise of a triangular distribution, the same for the three colors in part, and cuts to bytes.
  Image finish(Random& random, int noise, int gain) const {
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

 private:
  Color& at(int x, int y) { return pixels_[static_cast<std::size_t>(y * kDemoSize + x)]; }
  std::vector<Color> pixels_;
};

Random stream(std::uint64_t seed, std::uint64_t index) {
  Random mixer(seed ^ (index * 0xd1342543de82ef95u));
  return Random(mixer.next());
}

}  // namespace

int demo_label(std::uint64_t seed, std::uint64_t index) { return stream(seed, index).integer(0, kDemoClasses - 1); }

Image draw_demo_image(std::uint64_t seed, std::uint64_t index) {
  Random random = stream(seed, index);
  const int label = random.integer(0, kDemoClasses - 1);
  const Color ground = random_color(random);
  Canvas canvas;
  std::array<Color, 4> corners;
  for (Color& corner : corners) corner = shifted(random, ground, 40);
  canvas.background(corners);

  const auto figure = [&random](int shape, int lo, int hi) {
    Figure f;
    f.shape = shape;
    f.radius = random.integer(lo, hi);
    f.angle = random.integer(-5, 5);
    f.texture = static_cast<Texture>(random.integer(0, 3));
    f.period = random.integer(2, 6);
    return f;
  };
  const int clutter = random.integer(0, 7);
  for (int i = 0; i < clutter; ++i) {  // smaller than the figure that counts
    Figure f = figure(random.integer(0, kDemoClasses - 1), 3, 8);
    f.x = random.integer(0, kDemoSize - 1);
    f.y = random.integer(0, kDemoSize - 1);
    f.color = random_color(random);
    f.second = shifted(random, f.color, 60);
    canvas.paint(f);
  }
  Figure subject = figure(label, 14, 36);
  subject.stretch = random.integer(54, 64);
  subject.x = random.integer(subject.radius, kDemoSize - 1 - subject.radius);
  subject.y = random.integer(subject.radius, kDemoSize - 1 - subject.radius);
  subject.color = contrasting_color(random, ground, 110);
  subject.second = shifted(random, subject.color, 50);
  canvas.paint(subject);
  const int covers_count = random.integer(0, 3);
  for (int i = 0; i < covers_count; ++i) {  // bars and discs that hide a part of it
    Figure f = figure(random.integer(0, 1) == 0 ? kBar : kDisc, 4, std::max(5, subject.radius / 2));
    f.stretch = f.shape == kBar ? random.integer(16, 40) : 64;
    f.x = subject.x + random.integer(-subject.radius, subject.radius);
    f.y = subject.y + random.integer(-subject.radius, subject.radius);
    f.color = random_color(random);
    f.second = shifted(random, f.color, 60);
    canvas.paint(f);
  }
  const int noise = random.integer(5, 70);
  const int gain = random.integer(44, 72);
  return canvas.finish(random, noise, gain);
}

}  // namespace gpueval::data
