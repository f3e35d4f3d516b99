// SPDX-License-Identifier: Apache-2.0
// What a data set knows of a picture beside its pixels, and what a network says of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gpueval {

// What the truth of a data set is.
enum class TruthKind { kNone, kClass, kLabelMap, kBoxes };

// The class of each pixel.
struct LabelMap {
  static constexpr std::uint8_t kVoid = 255;  // no class: counts nowhere

  int height = 0, width = 0;
  std::vector<std::uint8_t> classes;  // height x width, row by row
};

// In pixels of the picture, continuous: the picture is 0 <= x <= width, 0 <= y <= height. Upper left corner.
struct Box {
  double x = 0, y = 0, width = 0, height = 0;
  double area() const { return width * height; }
  bool operator==(const Box&) const = default;
};

struct TruthBox {
  int category = 0;  // a place in the data set's class names
  Box box;           // of VOC: x = xmin, y = ymin, width = xmax - xmin, height = ymax - ymin, as the file has them
  double area = 0;   // pixels; of COCO the mask's, of others the box's
  bool crowd = false, difficult = false;
};

// A network's answer.
struct Detection {
  int category = 0;  // as above
  double score = 0;  // 0 to 1
  Box box;
};

}  // namespace gpueval
