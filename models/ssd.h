// SPDX-License-Identifier: Apache-2.0
// SSD on VGG16: Liu et al., "SSD: Single Shot MultiBox Detector", 2016, in the words of pierluigiferrari/ssd_keras,
// which has its published weights for Keras. Mean and order of colours, layers without weights there, are its
// normalization.
#pragma once

#include <string>
#include <vector>

#include "gpueval/models.h"

namespace gpueval {

struct SsdSource {
  std::string layer;  // its heads are "<layer>_mbox_loc" and "<layer>_mbox_conf"
  int boxes;          // a cell
};

struct SsdLayout {
  std::string name;
  int side;  // of the input
  std::vector<SsdSource> sources;
  std::vector<std::string> weight_files;  // most usual first
  std::string description;
};

ModelSpec ssd_model(const SsdLayout& layout);

}  // namespace gpueval
