// SPDX-License-Identifier: Apache-2.0
// A mask's values are what is in the file, not what it looks like.
#include "io/data/annotated/label_map.h"

#include "io/annotated_files.h"

namespace gpueval {
namespace {

using data::decode_label_map;
using data::read_label_map;
using test::error_of;
using test::write_png;
using MapBytes = std::vector<std::uint8_t>;

class LabelMaps : public test::AnnotatedTest {
 protected:
  LabelMap read(int width, int height, const MapBytes& rows, const test::PngForm& form) const {
    write_png(folder_.path() / "m.png", width, height, rows, form);
    return read_label_map(folder_ / "m.png");
  }
};

TEST_F(LabelMaps, EightBitsAreTheValues) {
  MapBytes values(256);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::uint8_t>(i);
  for (const int kind : {PNG_COLOR_TYPE_PALETTE, PNG_COLOR_TYPE_GRAY}) {
    for (const bool interlaced : {false, true}) {
      const LabelMap map = read(32, 8, values, {kind, 8, interlaced});
      EXPECT_EQ(map.width, 32);
      EXPECT_EQ(map.height, 8);
      EXPECT_EQ(map.classes, values) << kind << interlaced;
    }
  }
}

TEST_F(LabelMaps, FewerBitsAreUnpackedAndNotScaled) {
  for (const int kind : {PNG_COLOR_TYPE_PALETTE, PNG_COLOR_TYPE_GRAY}) {
    EXPECT_EQ(read(3, 2, {0b10100000, 0b01000000}, {kind, 1}).classes, (MapBytes{1, 0, 1, 0, 1, 0}));
    EXPECT_EQ(read(3, 1, {0b00011110}, {kind, 2}).classes, (MapBytes{0, 1, 3}));
    EXPECT_EQ(read(3, 1, {0x1f, 0x20}, {kind, 4}).classes, (MapBytes{1, 15, 2}));
    EXPECT_EQ(read(3, 1, {0x1f, 0x20}, {kind, 4, true}).classes, (MapBytes{1, 15, 2}));
  }
}

TEST_F(LabelMaps, SixteenBitsMayHoldWhatEightCan) {
  const test::PngForm form{PNG_COLOR_TYPE_GRAY, 16};
  EXPECT_EQ(read(2, 2, {0, 0, 0, 255, 0, 18, 0, 1}, form).classes, (MapBytes{0, 255, 18, 1}));
  EXPECT_EQ(error_of([&] {
              read(2, 1, {0, 3, 1, 4}, form);
            }),
            folder_ / "m.png" + ": expected class ids of at most 255, found 260 in a grey PNG of 16 bits");
}

TEST_F(LabelMaps, ColorsAreNoClasses) {
  const std::string expected = ": expected a palette or grey PNG of class ids, found one of colors or with alpha";
  for (const char* name : {"rgb8", "rgba8", "rgb16", "grey_alpha8", "grey_alpha16"}) {
    const std::string file = test::data_golden(std::string(name) + ".png");
    EXPECT_EQ(error_of([&] { read_label_map(file); }), file + expected);
  }
}

TEST_F(LabelMaps, DamagedOnesAreBadImages) {
  for (const char* name : {"palette2.png", "grey8.png", "grey16.png"}) {
    const MapBytes bytes = test::read_bytes(test::data_golden(name));
    for (std::size_t size = 0; size < bytes.size(); ++size)
      EXPECT_THROW(decode_label_map(std::span(bytes).first(size), name), BadImage) << name << " cut to " << size;
  }
  EXPECT_EQ(error_of([&] { decode_label_map(test::read_bytes(test::data_golden("grey.jpg")), "x.png"); }),
            "x.png: expected a PNG image, found a JPEG image");
  MapBytes huge = test::read_bytes(test::data_golden("grey8.png"));
  png_save_uint_32(huge.data() + 16, 0x7fffffff);
  EXPECT_THROW(decode_label_map(huge, "huge.png"), BadImage);
}

}  // namespace
}  // namespace gpueval
