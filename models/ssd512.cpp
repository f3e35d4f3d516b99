// SPDX-License-Identifier: Apache-2.0
#include "models/ssd.h"

namespace gpueval {

ModelSpec ssd512_model() {
  return ssd_model(
      {.name = "ssd512",
       .side = 512,
       .sources = {{"conv4_3_norm", 4},
                   {"fc7", 6},
                   {"conv6_2", 6},
                   {"conv7_2", 6},
                   {"conv8_2", 6},
                   {"conv9_2", 4},
                   {"conv10_2", 4}},
       .weight_files = {"VGG_VOC0712_SSD_512x512_iter_120000.h5", "VGG_VOC0712_SSD_512x512_ft_iter_120000.h5",
                        "VGG_coco_SSD_512x512_iter_360000.h5"},
       .description = "SSD 512x512, VGG16 (Liu et al. 2016): boxes of 20 classes, or as many as the file has"});
}

}  // namespace gpueval
