// SPDX-License-Identifier: Apache-2.0
// demo_images SPLIT COUNT PIXELS LABELS: writes the demo's pictures (96 x 96 x 3 bytes each, R, G, B) and labels (a
// byte each) for scripts/train_demo.py.
#include <cstdio>
#include <exception>
#include <fstream>
#include <stdexcept>
#include <string>

#include "gpueval/dataset.h"

namespace {

void write_images(const std::string& split, std::size_t count, const std::string& pixels, const std::string& labels) {
  const auto demo = gpueval::open_demo(split, count);
  std::ofstream pixel_file(pixels, std::ios::binary), label_file(labels, std::ios::binary);
  for (std::size_t i = 0; i < count; ++i) {
    const gpueval::Image image = demo->decode(i);
    pixel_file.write(reinterpret_cast<const char*>(image.rgb.data()), static_cast<std::streamsize>(image.rgb.size()));
    label_file.put(static_cast<char>(demo->label(i)));
  }
  if (!pixel_file.flush() || !label_file.flush()) throw std::runtime_error("cannot write " + pixels + " or " + labels);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fputs("usage: demo_images train|calibration|test COUNT PIXELS LABELS\n", stderr);
    return 2;
  }
  try {
    write_images(argv[1], std::stoul(argv[2]), argv[3], argv[4]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "demo_images: %s\n", error.what());
    return 1;
  }
  return 0;
}
