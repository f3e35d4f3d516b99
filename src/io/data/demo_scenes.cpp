// SPDX-License-Identifier: Apache-2.0
#include "io/data/demo_scenes.h"

#include <algorithm>
#include <cstdlib>

#include "io/data/demo_canvas.h"

namespace gpueval::data {
namespace {

constexpr std::array<int, kSceneClasses.size()> kForms = {kDisc, kRing, kSquare, kTriangle, kCross};
constexpr int kMostShapes = 4;

// Shapes may touch, and a later one may hide a corner of an earlier one.
bool crowds(const Figure& f, const std::vector<Figure>& others) {
  return std::any_of(others.begin(), others.end(), [&](const Figure& other) {
    return std::max(std::abs(f.x - other.x), std::abs(f.y - other.y)) < (f.radius + other.radius) * 4 / 5;
  });
}

// False where no place is left for it.
bool place(Random& random, Figure& f, const std::vector<Figure>& others) {
  for (int attempt = 0; attempt < 12; ++attempt) {
    f.x = random.integer(f.radius, kDemoSize - 1 - f.radius);
    f.y = random.integer(f.radius, kDemoSize - 1 - f.radius);
    if (!crowds(f, others)) return true;
  }
  return false;
}

struct Extent {
  int left = kDemoSize, top = kDemoSize, right = -1, bottom = -1, pixels = 0;
};

// Of owners 1, 2, ...
std::vector<Extent> extents(const std::vector<std::uint8_t>& owners, std::size_t count) {
  std::vector<Extent> result(count);
  for (int y = 0; y < kDemoSize; ++y) {
    for (int x = 0; x < kDemoSize; ++x) {
      const int owner = owners[static_cast<std::size_t>(y * kDemoSize + x)];
      if (owner == 0) continue;
      Extent& e = result[static_cast<std::size_t>(owner - 1)];
      e = {std::min(e.left, x), std::min(e.top, y), std::max(e.right, x), std::max(e.bottom, y), e.pixels + 1};
    }
  }
  return result;
}

TruthBox truth_box(const Extent& e, int category) {
  TruthBox box{.category = category};
  box.box = {.x = static_cast<double>(e.left),
             .y = static_cast<double>(e.top),
             .width = static_cast<double>(e.right + 1 - e.left),
             .height = static_cast<double>(e.bottom + 1 - e.top)};
  box.area = e.pixels;
  return box;
}

}  // namespace

DemoScene draw_demo_scene(std::uint64_t seed, std::uint64_t index) {
  Random random = demo_stream(seed, index);
  const Color ground = random_color(random);
  Canvas canvas;
  std::array<Color, 4> corners;
  for (Color& corner : corners) corner = shifted(random, ground, 40);
  canvas.background(corners);

  std::vector<Figure> figures;
  std::vector<int> categories;
  const int wanted = random.integer(1, kMostShapes);
  for (int i = 0; i < wanted; ++i) {
    const int category = random.integer(0, static_cast<int>(kForms.size()) - 1);
    Figure f = random_figure(random, kForms[static_cast<std::size_t>(category)], 9, 23);
    f.stretch = random.integer(54, 64);
    if (!place(random, f, figures)) continue;
    f.color = contrasting_color(random, ground, 150);
    f.second = shifted(random, f.color, 40);
    figures.push_back(f);
    categories.push_back(category);
    canvas.paint(f, static_cast<std::uint8_t>(figures.size()));
  }

  DemoScene scene;
  const std::vector<Extent> seen = extents(canvas.owners(), figures.size());
  for (std::size_t i = 0; i < figures.size(); ++i) scene.boxes.push_back(truth_box(seen[i], categories[i]));
  scene.map = {kDemoSize, kDemoSize, canvas.owners()};
  for (std::uint8_t& owner : scene.map.classes) {
    if (owner > 0) owner = static_cast<std::uint8_t>(1 + categories[owner - 1u]);
  }
  const int noise = random.integer(5, 50);
  const int gain = random.integer(44, 72);
  scene.image = canvas.finish(random, noise, gain);
  return scene;
}

}  // namespace gpueval::data
