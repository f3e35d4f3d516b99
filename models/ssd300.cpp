// SPDX-License-Identifier: Apache-2.0
#include "models/ssd.h"

namespace gpueval {

ModelSpec ssd300_model() {
  return ssd_model(
      {.name = "ssd300",
       .side = 300,
       .sources = {{"conv4_3_norm", 4}, {"fc7", 6}, {"conv6_2", 6}, {"conv7_2", 6}, {"conv8_2", 4}, {"conv9_2", 4}},
       .weight_files = {"VGG_VOC0712_SSD_300x300_iter_120000.h5", "VGG_VOC0712_SSD_300x300_ft_iter_120000.h5",
                        "VGG_coco_SSD_300x300_iter_400000.h5"},
       .description = "SSD 300x300, VGG16 (Liu et al. 2016): boxes of 20 classes, or as many as the file has"});
}

}  // namespace gpueval
