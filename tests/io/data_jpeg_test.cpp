// SPDX-License-Identifier: Apache-2.0
// JPEG pixels equal cv2.imdecode's bit for bit, and no damaged file passes for a picture.
#include <sstream>

#include "io/data/exif.h"
#include "support/data_files.h"

namespace gpueval {
namespace {

using test::data_golden;
using test::error_of;
using test::read_bytes;

TEST(Jpeg, PixelsEqualOpenCv) {
  std::ifstream rows(data_golden("jpeg_pixels.txt"));
  int files = 0;
  for (std::string name, hash; rows >> name;) {
    int height = 0, width = 0;
    rows >> height >> width >> hash;
    const Image image = read_image(data_golden(name + ".jpg"));
    EXPECT_EQ(image.height, height) << name;
    EXPECT_EQ(image.width, width) << name;
    EXPECT_EQ(test::pixels_hash(image), hash) << name;
    ++files;
  }
  EXPECT_EQ(files, 20);
}

TEST(Jpeg, RealImagesEqualOpenCv) {
  const std::string path = test::real_data("imagenet/val224_sample.pkl");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "needs " << path;
  const auto data = open_dataset(path, "");
  std::ifstream rows(data_golden("val224_sample_pixels.txt"));
  ASSERT_EQ(data->size(), 500u);
  for (std::size_t i = 0; i < data->size(); ++i) {
    std::string hash;
    rows >> hash;
    ASSERT_EQ(test::pixels_hash(data->decode(i)), hash) << data->name(i);
  }
}

TEST(Jpeg, StoredBgrExchangesRedAndBlue) {
  for (const char* name : {"color420.jpg", "cmyk.jpg"}) {
    const auto bytes = read_bytes(data_golden(name));
    const Image rgb = decode_jpeg(bytes, name);
    const Image bgr = decode_jpeg(bytes, name, StoredColors::kBgr);
    ASSERT_EQ(rgb.rgb.size(), bgr.rgb.size());
    bool any_different = false;
    for (std::size_t i = 0; i < rgb.rgb.size(); i += 3) {
      ASSERT_EQ(rgb.rgb[i], bgr.rgb[i + 2]) << name << " at " << i;
      ASSERT_EQ(rgb.rgb[i + 1], bgr.rgb[i + 1]) << name << " at " << i;
      ASSERT_EQ(rgb.rgb[i + 2], bgr.rgb[i]) << name << " at " << i;
      any_different |= rgb.rgb[i] != rgb.rgb[i + 2];
    }
    EXPECT_TRUE(any_different) << name;
  }
}

TEST(Jpeg, EveryTruncationIsAnError) {
  for (const char* name : {"color420.jpg", "progressive.jpg", "grey.jpg"}) {
    const auto bytes = read_bytes(data_golden(name));
    for (std::size_t size = 0; size + 2 < bytes.size(); ++size) {  // the end marker itself may be missing
      EXPECT_THROW(decode_jpeg(std::span(bytes).first(size), name), Error) << name << " cut to " << size;
    }
  }
}

TEST(Jpeg, DamageInTheScanIsAnError) {
  auto bytes = read_bytes(data_golden("color444.jpg"));
  for (std::size_t i = bytes.size() / 2; i < bytes.size() / 2 + 64; ++i) bytes[i] = 0xff;
  EXPECT_NE(error_of([&] { decode_jpeg(bytes, "holed.jpg"); }).find("holed.jpg: corrupt JPEG"), std::string::npos);
}

TEST(Jpeg, FlippedBytesNeverCrash) {
  const auto bytes = read_bytes(data_golden("color420.jpg"));
  int errors = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto damaged = bytes;
    damaged[i] ^= 0x5a;
    try {
      const Image image = decode_jpeg(damaged, "damaged");
      EXPECT_EQ(image.rgb.size(), std::size_t{3} * static_cast<std::size_t>(image.height * image.width));
    } catch (const Error&) {
      ++errors;
    }
  }
  EXPECT_GT(errors, 0);
}

TEST(Jpeg, OtherFormatsAreNamed) {
  const std::vector<std::uint8_t> png = {0x89, 'P', 'N', 'G', 13, 10, 26, 10, 0, 0, 0, 13};
  EXPECT_EQ(error_of([&] { decode_jpeg(png, "x.JPEG"); }), "x.JPEG: expected a JPEG image, found a PNG image");
  EXPECT_EQ(error_of([&] { decode_jpeg({}, "empty.jpg"); }), "empty.jpg: expected a JPEG image, found nothing");
  EXPECT_NE(error_of([&] { read_image("/nowhere/x.jpg"); }).find("/nowhere/x.jpg: cannot be opened"),
            std::string::npos);
}

TEST(Jpeg, HugeDimensionsAreRefusedBeforeMemoryIsTaken) {
  auto bytes = read_bytes(data_golden("grey.jpg"));
  for (std::size_t i = 0; i + 9 < bytes.size(); ++i) {
    if (bytes[i] != 0xff || bytes[i + 1] != 0xc0) continue;
    for (std::size_t k = 5; k < 9; ++k) bytes[i + k] = 0xf0;
    break;
  }
  EXPECT_NE(error_of([&] { decode_jpeg(bytes, "huge"); }).find("61680 x 61680 pixels"), std::string::npos);
}

TEST(Exif, DamagedBlocksMeanAsStored) {
  const auto bytes = read_bytes(data_golden("orientation6.jpg"));
  EXPECT_EQ(data::exif_orientation(bytes), 6);
  for (std::size_t size = 0; size < 34; ++size)
    EXPECT_LE(data::exif_orientation(std::span(bytes).first(size)), 1) << size;
  EXPECT_EQ(data::exif_orientation(read_bytes(data_golden("color444.jpg"))), 1);
}

TEST(Exif, OrientationSixTurnsClockwise) {
  Image image{1, 2, {1, 2, 3, 4, 5, 6}};  // left, right -> top, bottom
  const Image turned = data::apply_orientation(image, 6);
  EXPECT_EQ(turned.height, 2);
  EXPECT_EQ(turned.width, 1);
  EXPECT_EQ(turned.rgb, (std::vector<std::uint8_t>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(data::apply_orientation(image, 8).rgb, (std::vector<std::uint8_t>{4, 5, 6, 1, 2, 3}));
}

}  // namespace
}  // namespace gpueval
