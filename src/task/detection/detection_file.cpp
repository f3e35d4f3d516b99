// SPDX-License-Identifier: Apache-2.0
#include "task/detection/detection_file.h"

#include <fmt/format.h>

namespace gpueval {

DetectionWriter::DetectionWriter(const std::string& path, const Dataset& data) : data_(data), file_(path) {
  file_.write("[");
}

void DetectionWriter::append(std::size_t image, std::span<const Detection> detections) {
  for (const Detection& d : detections) {
    file_.write(fmt::format("{}\n{{\"image_id\": {}, \"category_id\": {}, \"bbox\": [{}, {}, {}, {}], \"score\": {}}}",
                            any_ ? "," : "", data_.image_id(image), data_.category_id(d.category), d.box.x, d.box.y,
                            d.box.width, d.box.height, d.score));
    any_ = true;
  }
}

void DetectionWriter::finish() {
  file_.write("\n]\n");
  file_.commit();
}

}  // namespace gpueval
