// SPDX-License-Identifier: Apache-2.0
// Resizing, cropping and normalising against cv2 and numpy (scripts/make_data_goldens.py), and every value of a byte.
#include <cmath>
#include <sstream>

#include "support/data_files.h"

namespace gpueval {
namespace {

// The same picture as make_data_goldens.py's formula().
Image formula_image(int height, int width) {
  Image image{height, width, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < 3; ++c) {
        const int value = x * 7 + y * 3 + c * 40 + (x * y) / 5 + ((x / 9 + y / 7) % 2) * 90;
        image.rgb.push_back(static_cast<std::uint8_t>(value % 256));
      }
    }
  }
  return image;
}

std::vector<float> run(const Image& image, bool cropped, int size, Normalization normalization, Resizing resizing) {
  std::vector<float> dst(static_cast<std::size_t>(size * size) * 3);
  preprocess(image, cropped, {size, size, normalization}, resizing, dst);
  return dst;
}

TEST(Preprocess, EqualsOpenCvAndNumpy) {
  std::ifstream file(test::data_golden("preprocess.txt"));
  int rows = 0;
  for (std::string line; std::getline(file, line); ++rows) {
    std::istringstream row(line);
    std::string mode, kind;
    int height = 0, width = 0, size = 0;
    row >> mode >> height >> width >> size >> kind;
    const auto normalization = kind == "tf" ? Normalization::kMinusOneToOne : Normalization::kCaffeBgr;
    const auto resizing = mode == "original" ? Resizing::kOriginal : Resizing::kDefault;
    const auto dst = run(formula_image(height, width), mode == "pickle", size, normalization, resizing);
    std::size_t i = 0;
    for (float expected = 0; row >> expected; ++i) {
      const std::size_t at = i * 7919 * 31 % dst.size();
      ASSERT_EQ(dst[at], expected) << mode << ' ' << height << 'x' << width << " -> " << size << ' ' << kind << " at "
                                   << at;
    }
    ASSERT_EQ(i, 300u);
  }
  EXPECT_EQ(rows, 24);
}

TEST(Preprocess, EveryByteValueIsExact) {
  Image image{16, 16, {}};
  for (int i = 0; i < 256; ++i) {
    for (int c = 0; c < 3; ++c) image.rgb.push_back(static_cast<std::uint8_t>((i + 85 * c) & 255));
  }
  const auto tf = run(image, true, 16, Normalization::kMinusOneToOne, Resizing::kDefault);
  const auto caffe = run(image, true, 16, Normalization::kCaffeBgr, Resizing::kDefault);
  constexpr float kMean[3] = {103.939f, 116.779f, 123.68f};
  for (std::size_t i = 0; i < tf.size(); ++i) {
    const std::size_t c = i % 3, mirrored = i - c + (2 - c);
    const float scaled = static_cast<float>(image.rgb[i]) / 127.5f;
    ASSERT_EQ(tf[i], scaled - 1.0f) << i;
    ASSERT_EQ(caffe[i], static_cast<float>(image.rgb[mirrored]) - kMean[c]) << i;
  }
  EXPECT_EQ(*std::min_element(tf.begin(), tf.end()), -1.0f);
  EXPECT_EQ(*std::max_element(tf.begin(), tf.end()), 1.0f);
}

TEST(Preprocess, ExtremeShapesAreCropped) {
  for (const auto& [height, width] : {std::pair{1, 1}, {3, 700}, {700, 2}, {1, 65500}, {65500, 1}}) {
    const auto dst = run(formula_image(height, width), false, 224, Normalization::kMinusOneToOne, Resizing::kDefault);
    for (const float value : dst) ASSERT_TRUE(value >= -1.0f && value <= 1.0f);
  }
}

TEST(Preprocess, WrongDestinationIsAnError) {
  std::vector<float> dst(10);
  EXPECT_THROW(preprocess(formula_image(8, 8), true, {8, 8, {}}, Resizing::kDefault, dst), Error);
  EXPECT_THROW(preprocess(Image{8, 8, {1, 2, 3}}, true, {8, 8, {}}, Resizing::kDefault, dst), Error);
}

TEST(Preprocess, NamesSayWhatIsDone) {
  const auto demo = open_demo("test", 1);
  EXPECT_EQ(preprocessing_name(*demo, {96, 96, Normalization::kMinusOneToOne}, Resizing::kDefault), "demo96_tf");
  const auto pickle = open_pickle(test::data_golden("ints_p4.pkl"));
  EXPECT_EQ(preprocessing_name(*pickle, {224, 224, Normalization::kMinusOneToOne}, Resizing::kDefault), "crop224_tf");
  EXPECT_EQ(preprocessing_name(*pickle, {227, 227, Normalization::kCaffeBgr}, Resizing::kOriginal),
            "crop224_bilinear227_caffe-bgr");
  const test::TemporaryFolder folder;
  std::filesystem::create_directory(folder / "n00000001");
  test::write_text(folder / "n00000001/a.jpg", "");
  const auto images = open_folder(folder.path().string(), "");
  EXPECT_EQ(preprocessing_name(*images, {299, 299, Normalization::kMinusOneToOne}, Resizing::kDefault),
            "bicubic342_crop299_tf");
  EXPECT_EQ(preprocessing_name(*images, {227, 227, Normalization::kCaffeBgr}, Resizing::kDefault),
            "bicubic256_crop227_caffe-bgr");
  EXPECT_EQ(preprocessing_name(*images, {299, 299, Normalization::kMinusOneToOne}, Resizing::kOriginal),
            "bicubic256_crop224_bilinear299_tf");
  EXPECT_EQ(preprocessing_name(*images, {224, 224, Normalization::kCaffeBgr}, Resizing::kOriginal),
            "bicubic256_crop224_caffe-bgr");
}

TEST(Preprocess, ResizingIsParsed) {
  EXPECT_EQ(parse_resizing("default"), Resizing::kDefault);
  EXPECT_EQ(parse_resizing("original"), Resizing::kOriginal);
  EXPECT_NE(test::error_of([] { parse_resizing("bigger"); }).find("'bigger', expected default or original"),
            std::string::npos);
}

}  // namespace
}  // namespace gpueval
