// SPDX-License-Identifier: Apache-2.0
// What the demo's pictures are drawn with. Integer arithmetic only.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/random.h"
#include "gpueval/image.h"
#include "io/data/demo_images.h"

namespace gpueval::data {

using Color = std::array<int, 3>;

enum Form : int { kDisc, kRing, kSquare, kBar, kTriangle, kCross, kHexagon, kCrescent, kHalfDisc, kFrame };
enum class Texture { kPlain, kStripes, kChecker, kDots };

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

Color random_color(Random& random);
// A color at least `distance` away from `other`; the last try stands (a few pictures are hard to see, as in real data).
Color contrasting_color(Random& random, const Color& other, int distance);
Color shifted(Random& random, const Color& color, int amount);
// Of that form, upright but for a little, with a texture; place and colors are left open.
Figure random_figure(Random& random, int shape, int lo, int hi);
Random demo_stream(std::uint64_t seed, std::uint64_t index);

class Canvas {
 public:
  Canvas();
  // A plane between four corner colors.
  void background(const std::array<Color, 4>& corners);
  // owner: what its pixels are from now on.
  void paint(const Figure& f, std::uint8_t owner = 0);
  // Adds noise of a triangular distribution, the same for the three colors in part, and cuts to bytes.
  Image finish(Random& random, int noise, int gain) const;
  const std::vector<std::uint8_t>& owners() const { return owners_; }  // of each pixel

 private:
  Color& at(int x, int y) { return pixels_[static_cast<std::size_t>(y * kDemoSize + x)]; }
  std::vector<Color> pixels_;
  std::vector<std::uint8_t> owners_;
};

}  // namespace gpueval::data
