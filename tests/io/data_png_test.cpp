// SPDX-License-Identifier: Apache-2.0
// PNG pixels equal cv2.imdecode's bit for bit, and no damaged file passes for a picture.
#include <png.h>

#include "io/data/exif.h"
#include "support/data_files.h"

namespace gpueval {
namespace {

using test::data_golden;
using test::error_of;
using test::read_bytes;
using Bytes = std::vector<std::uint8_t>;

// The file with other bytes at `at`, in its first chunk (the header), whose checksum is made to fit.
Bytes with_header(Bytes png, std::size_t at, std::uint32_t value) {
  png_save_uint_32(png.data() + at, value);
  std::uint32_t crc = 0xffffffff;
  for (std::size_t i = 12; i < 29; ++i) {
    crc ^= png[i];
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320u : 0u);
  }
  png_save_uint_32(png.data() + 29, ~crc);
  return png;
}

TEST(Png, PixelsEqualOpenCv) {
  std::ifstream rows(data_golden("png_pixels.txt"));
  int files = 0;
  for (std::string name, hash; rows >> name;) {
    int height = 0, width = 0;
    rows >> height >> width >> hash;
    const Image image = read_image(data_golden(name + ".png"));
    EXPECT_EQ(image.height, height) << name;
    EXPECT_EQ(image.width, width) << name;
    EXPECT_EQ(test::pixels_hash(image), hash) << name;
    ++files;
  }
  EXPECT_EQ(files, 22);
}

// A picture that lost its end must not be judged half grey.
TEST(Png, EveryTruncationIsABadImage) {
  for (const char* name : {"rgb8.png", "palette2.png", "rgb8_interlaced.png", "turned6.png"}) {
    const Bytes bytes = read_bytes(data_golden(name));
    for (std::size_t size = 0; size < bytes.size(); ++size)
      EXPECT_THROW(decode_png(std::span(bytes).first(size), name), BadImage) << name << " cut to " << size;
  }
  const Bytes bytes = read_bytes(data_golden("rgb8.png"));
  EXPECT_EQ(error_of([&] { decode_png(std::span(bytes).first(60), "x.png"); }),
            "x.png: corrupt PNG: the file is cut short");
}

// The checksums tell; but for the bytes of chunks that change no pixel and are not looked at.
TEST(Png, EveryChangedByteOfThePixelsIsABadImage) {
  const Bytes bytes = read_bytes(data_golden("rgba8.png"));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    Bytes damaged = bytes;
    damaged[i] ^= 0x10;
    EXPECT_THROW(decode_png(damaged, "damaged"), BadImage) << i;
  }
}

TEST(Png, HostileSizesAreRefusedBeforeMemoryIsTaken) {
  const Bytes bytes = read_bytes(data_golden("rgb8.png"));
  EXPECT_EQ(error_of([&] { decode_png(with_header(with_header(bytes, 16, 10001), 20, 10000), "huge.png"); }),
            "huge.png: 10001 x 10000 pixels, expected at most 100000000");
  EXPECT_EQ(error_of([&] { decode_png(with_header(with_header(bytes, 16, 0x7fffffff), 20, 0x7fffffff), "most.png"); }),
            "most.png: 2147483647 x 2147483647 pixels, expected at most 100000000");
  for (const std::uint32_t side : {0u, 0x80000000u, 0xffffffffu})
    EXPECT_THROW(decode_png(with_header(bytes, 16, side), "side"), BadImage) << side;
  // More rows than the file has pixels for, fewer, and kinds that there are not.
  EXPECT_THROW(decode_png(with_header(bytes, 20, 6), "rows"), BadImage);
  for (const std::uint32_t kind : {0x08010000u, 0x03020000u, 0x10030000u, 0x08020100u, 0x08020001u, 0x08020002u})
    EXPECT_THROW(decode_png(with_header(bytes, 24, kind), "kind"), BadImage) << std::hex << kind;
}

// The content decides, not the name.
TEST(Png, EitherFormatIsReadUnderEitherName) {
  const test::TemporaryFolder folder;
  std::filesystem::copy_file(data_golden("rgb8.png"), folder / "a.jpg");
  std::filesystem::copy_file(data_golden("grey.jpg"), folder / "b.PNG");
  test::write_text(folder / "labels.txt", "a.jpg 1\nb.PNG 2\n");
  const auto data = open_dataset(folder.path().string(), folder / "labels.txt");
  ASSERT_EQ(data->size(), 2u);
  EXPECT_EQ(data->decode(0).rgb, read_image(data_golden("rgb8.png")).rgb);
  EXPECT_EQ(data->decode(1).rgb, read_image(data_golden("grey.jpg")).rgb);
  EXPECT_EQ(data->content_bytes(0), read_bytes(data_golden("rgb8.png")).size());
}

TEST(Png, OtherFormatsAreNamed) {
  const Bytes text = {0x89, 'P', 'N', 'G', '\n', 0x1a, '\n'}, gif = {'G', 'I', 'F', '8', '9', 'a'};
  EXPECT_EQ(error_of([&] { decode_picture(gif, "x.png"); }), "x.png: expected a JPEG or PNG image, found a GIF image");
  EXPECT_EQ(error_of([&] { decode_picture({}, "x.png"); }), "x.png: expected a JPEG or PNG image, found nothing");
  EXPECT_EQ(error_of([&] { decode_png(read_bytes(data_golden("grey.jpg")), "x.png"); }),
            "x.png: expected a PNG image, found a JPEG image");
  EXPECT_NE(error_of([&] { decode_picture(text, "x.png"); }).find("whose first bytes were changed"), std::string::npos);
}

}  // namespace
}  // namespace gpueval
