// SPDX-License-Identifier: Apache-2.0
#include "io/data/demo_images.h"

#include <algorithm>
#include <array>

#include "io/data/demo_canvas.h"

namespace gpueval::data {

int demo_label(std::uint64_t seed, std::uint64_t index) {
  return demo_stream(seed, index).integer(0, kDemoClasses - 1);
}

Image draw_demo_image(std::uint64_t seed, std::uint64_t index) {
  Random random = demo_stream(seed, index);
  const int label = random.integer(0, kDemoClasses - 1);
  const Color ground = random_color(random);
  Canvas canvas;
  std::array<Color, 4> corners;
  for (Color& corner : corners) corner = shifted(random, ground, 40);
  canvas.background(corners);

  const int clutter = random.integer(0, 7);
  for (int i = 0; i < clutter; ++i) {  // smaller than the figure that counts
    Figure f = random_figure(random, random.integer(0, kDemoClasses - 1), 3, 8);
    f.x = random.integer(0, kDemoSize - 1);
    f.y = random.integer(0, kDemoSize - 1);
    f.color = random_color(random);
    f.second = shifted(random, f.color, 60);
    canvas.paint(f);
  }
  Figure subject = random_figure(random, label, 14, 36);
  subject.stretch = random.integer(54, 64);
  subject.x = random.integer(subject.radius, kDemoSize - 1 - subject.radius);
  subject.y = random.integer(subject.radius, kDemoSize - 1 - subject.radius);
  subject.color = contrasting_color(random, ground, 110);
  subject.second = shifted(random, subject.color, 50);
  canvas.paint(subject);
  const int covers_count = random.integer(0, 3);
  for (int i = 0; i < covers_count; ++i) {  // bars and discs that hide a part of it
    Figure f = random_figure(random, random.integer(0, 1) == 0 ? kBar : kDisc, 4, std::max(5, subject.radius / 2));
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
