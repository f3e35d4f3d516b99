// SPDX-License-Identifier: Apache-2.0
// COCO's result file: a JSON array of {"image_id", "category_id", "bbox": [x, y, width, height], "score"}, boxes in
// pixels from the upper left corner of the picture.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/output_file.h"
#include "gpueval/dataset.h"

namespace gpueval {

class DetectionWriter {
 public:
  DetectionWriter(const std::string& path,
                  const Dataset& data);  // data: whose numbers of pictures and classes are used
  void append(std::size_t image, std::span<const Detection> detections);
  void finish();

 private:
  const Dataset& data_;
  OutputFile file_;
  bool any_ = false;
};

// Detections by picture's number, in the file's order; category: a place in category_ids. One pass: the file may be
// large. Error naming file and place for anything else, and for a picture or a category that is not among these.
std::map<std::int64_t, std::vector<Detection>> read_detections(const std::string& path,
                                                               std::span<const std::int64_t> image_ids,
                                                               std::span<const std::int64_t> category_ids);

}  // namespace gpueval
