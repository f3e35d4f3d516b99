// SPDX-License-Identifier: Apache-2.0
// Which networks prepare their own pixels.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <string>

#include "io/weights/keras_file.h"
#include "keras/importer.h"

namespace gpueval {
namespace {

const std::string kResizing =
    R"({"class_name": "Resizing", "config": {"name": "resizing", "height": 9, "width": 8, "interpolation": "bilinear"}})";
const std::string kCenterCrop = R"({"class_name": "CenterCrop", "config": {"name": "crop", "height": 6, "width": 6}})";
const std::string kFlip = R"({"class_name": "RandomFlip", "config": {"name": "flip", "mode": "horizontal"}})";
const std::string kRescaling =
    R"({"class_name": "Rescaling", "config": {"name": "rescaling", "scale": 0.00784, "offset": -1.0}})";
const std::string kPool =
    R"({"class_name": "MaxPooling2D", "config": {"name": "pool", "pool_size": [2, 2], "strides": [2, 2], "padding": "valid"}})";

bool prepares_pixels(const std::string& layers) {
  KerasFile file;
  file.path = "made.keras";
  file.config = fmt::format(
      R"({{"class_name": "Sequential", "config": {{"name": "made", "layers": [
          {{"class_name": "InputLayer", "config": {{"batch_shape": [null, 12, 12, 3], "name": "image"}}}}, {}]}}}})",
      layers);
  return keras::import_file(file, {.weights = false}).prepares_pixels;
}

TEST(KerasPixels, ScalingMayFollowWhatResizesAndCrops) {
  EXPECT_TRUE(prepares_pixels(kRescaling + "," + kPool));
  EXPECT_TRUE(prepares_pixels(kResizing + "," + kRescaling + "," + kPool));
  EXPECT_TRUE(prepares_pixels(kFlip + "," + kCenterCrop + "," + kResizing + "," + kRescaling));
}

TEST(KerasPixels, WhoeverOnlyResizesIsGivenWhatItWasTrainedWith) {
  EXPECT_FALSE(prepares_pixels(kPool));
  EXPECT_FALSE(prepares_pixels(kResizing + "," + kPool));
  EXPECT_FALSE(prepares_pixels(kPool + "," + kRescaling)) << "behind a layer that computes, scaling may mean anything";
}

}  // namespace
}  // namespace gpueval
