// SPDX-License-Identifier: Apache-2.0
// demo_scenes SPLIT COUNT PIXELS MAPS BOXES: writes the demo's pictures of several shapes (96 x 96 x 3 bytes each, R,
// G, B), their label maps (96 x 96 bytes each) and their boxes (six float32 each: picture, category, x, y, width,
// height) for train_demo_scenes.py.
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "gpueval/dataset.h"

namespace {

template <typename T>
void write(std::ofstream& file, const T* values, std::size_t count) {
  file.write(reinterpret_cast<const char*>(values), static_cast<std::streamsize>(count * sizeof(T)));
}

int run(char** arguments) {
  const auto count = static_cast<std::size_t>(std::atol(arguments[2]));
  const auto maps = gpueval::open_demo_masks(arguments[1], count),
             boxes = gpueval::open_demo_boxes(arguments[1], count);
  std::ofstream pixel_file(arguments[3], std::ios::binary), map_file(arguments[4], std::ios::binary),
      box_file(arguments[5], std::ios::binary);
  for (std::size_t i = 0; i < count; ++i) {
    const gpueval::Image image = maps->decode(i);
    write(pixel_file, image.rgb.data(), image.rgb.size());
    const gpueval::LabelMap map = maps->label_map(i);
    write(map_file, map.classes.data(), map.classes.size());
    for (const gpueval::TruthBox& truth : boxes->boxes(i)) {
      const float row[] = {
          static_cast<float>(i),           static_cast<float>(truth.category),  static_cast<float>(truth.box.x),
          static_cast<float>(truth.box.y), static_cast<float>(truth.box.width), static_cast<float>(truth.box.height)};
      write(box_file, row, 6);
    }
  }
  return pixel_file && map_file && box_file ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fputs("usage: demo_scenes train|calibration|test COUNT PIXELS MAPS BOXES\n", stderr);
    return 2;
  }
  try {
    return run(argv);
  } catch (const gpueval::Error& error) {
    std::fprintf(stderr, "demo_scenes: %s\n", error.what());
    return 1;
  }
}
