// SPDX-License-Identifier: Apache-2.0
// Preprocessing on a device against OpenCV and against the host's own, bit for bit.
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "gpueval/dataset.h"
#include "gpueval/preprocessing.h"
#include "ops_case.h"

namespace gpueval::cuda {
namespace {

struct Size {
  int h, w;
};

class ImageOps : public OpsTest {
 protected:
  // Noise and gradients: noise alone would hide a shift by one.
  Image random_image(const Size& size) {
    Image image{size.h, size.w, {}};
    for (int i = 0; i < size.h * size.w * 3; ++i) {
      const int smooth = i * 5 % 256;
      image.rgb.push_back(static_cast<std::uint8_t>(random_.integer(0, 1) == 1 ? smooth : random_.integer(0, 255)));
    }
    return image;
  }

  std::vector<std::uint8_t> preprocessed(const std::vector<Image>& images, const std::vector<float>& table, bool bgr,
                                         float scale, DType type, const Size& to) {
    std::vector<std::uint8_t> rgb;
    for (const Image& image : images) rgb.insert(rgb.end(), image.rgb.begin(), image.rgb.end());
    const int n = static_cast<int>(images.size());
    const OpTensor src(runtime(), DType::kU8, {n, images[0].height, images[0].width, 3}, {0, 3}, rgb);
    const OpTensor dst(runtime(), type, {n, to.h, to.w, 3}, {0, type == DType::kF32 ? 3 : 4});
    const DeviceBuffer device_table = upload_all(runtime(), table);
    ops().preprocess(src.view(), static_cast<const float*>(device_table.data()), bgr, scale, dst.view(), {});
    return dst.read();
  }
};

// Every byte its own value.
std::vector<float> identity_table() {
  std::vector<float> table;
  for (int i = 0; i < 3 * 256; ++i) table.push_back(static_cast<float>(i % 256));
  return table;
}

std::vector<float> table_of(Normalization normalization) {
  std::vector<float> table;
  const PixelTable pixels = pixel_table(normalization);
  for (const auto& channel : pixels.values) table.insert(table.end(), channel.begin(), channel.end());
  return table;
}

std::vector<std::uint8_t> opencv_resized(const Image& image, const Size& to) {
  const cv::Mat from(image.height, image.width, CV_8UC3, const_cast<std::uint8_t*>(image.rgb.data()));
  cv::Mat result;
  cv::resize(from, result, cv::Size(to.w, to.h), 0, 0, cv::INTER_LINEAR);
  return {result.datastart, result.dataend};
}

const struct {
  Size from, to;
} kSizes[] = {
    {{1, 1}, {1, 1}},       {{1, 1}, {5, 7}},     {{5, 7}, {1, 1}},         {{2, 2}, {1, 1}},
    {{2, 1}, {3, 2}},       {{1, 9}, {4, 4}},     {{9, 1}, {4, 4}},         {{8, 8}, {8, 8}},
    {{16, 12}, {8, 6}},  // halved: a mean
    {{16, 12}, {8, 7}},     {{16, 13}, {8, 6}},   {{6, 8}, {12, 16}},       {{9, 9}, {3, 3}},
    {{12, 16}, {3, 4}},     {{31, 17}, {10, 40}}, {{224, 224}, {29, 30}},   {{50, 60}, {61, 47}},
    {{22, 22}, {29, 29}},   {{96, 96}, {97, 95}}, {{224, 224}, {227, 227}}, {{224, 224}, {299, 299}},
    {{333, 500}, {64, 64}},
};

TEST_P(ImageOps, ResizesAsOpenCv) {
  for (const auto& [from, to] : kSizes) {
    const Image image = random_image(from);
    EXPECT_EQ(preprocessed({image}, identity_table(), false, 1.0f, DType::kU8, to), opencv_resized(image, to))
        << from.h << "x" << from.w << " to " << to.h << "x" << to.w;
  }
}

TEST_P(ImageOps, ResizesAnySizeAsOpenCv) {
  for (int i = 0; i < 150; ++i) {
    const Size from{random_.integer(1, 70), random_.integer(1, 70)}, to{random_.integer(1, 70), random_.integer(1, 70)};
    const Image image = random_image(from);
    ASSERT_EQ(preprocessed({image}, identity_table(), false, 1.0f, DType::kU8, to), opencv_resized(image, to))
        << from.h << "x" << from.w << " to " << to.h << "x" << to.w;
  }
}

TEST_P(ImageOps, GivesTheFloatsOfTheHost) {
  for (const Normalization normalization : {Normalization::kTf, Normalization::kCaffe}) {
    for (const Size to : {Size{32, 32}, Size{29, 41}, Size{37, 30}}) {
      const std::vector<Image> images{random_image({32, 32}), random_image({32, 32}), random_image({32, 32})};
      std::vector<float> want;
      for (const Image& image : images) {
        std::vector<float> one(static_cast<std::size_t>(to.h * to.w * 3));
        Preprocessing{{to.h, to.w, normalization}}.apply(image, one);
        want.insert(want.end(), one.begin(), one.end());
      }
      const bool bgr = pixel_table(normalization).bgr;
      const std::vector<float> table = table_of(normalization);
      EXPECT_EQ(floats_of(preprocessed(images, table, bgr, 1.0f, DType::kF32, to)), want) << to.h << "x" << to.w;
      const Shape shape{3, to.h, to.w, 3};
      for (const DType type : {DType::kS8, DType::kU8}) {
        const float scale = bgr ? 1.19f : 1.0f / 127;
        EXPECT_EQ(preprocessed(images, table, bgr, scale, type, to),
                  reference::quantize(want, shape, scale, type).bytes);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Device, ImageOps, testing::Values("emu", "gpu"), op_device);

}  // namespace
}  // namespace gpueval::cuda
