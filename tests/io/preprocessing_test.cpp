// SPDX-License-Identifier: Apache-2.0
// Fitting, resizing and normalising against cv2, PIL, Keras and numpy (scripts/make_data_goldens.py), and the names.
#include "gpueval/preprocessing.h"

#include <cmath>
#include <limits>
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

std::vector<float> run(const Image& image, const Preprocessing& preprocessing) {
  std::vector<float> dst(preprocessing.input.elements());
  preprocessing.apply(image, dst);
  return dst;
}

// The values that follow in the row are those spread over dst.
void expect_samples(std::istringstream& row, const std::vector<float>& dst, std::size_t count,
                    const std::string& name) {
  std::size_t i = 0;
  for (float expected = 0; row >> expected; ++i) {
    const std::size_t at = i * 7919 * 31 % dst.size();
    ASSERT_EQ(dst[at], expected) << name << " at " << at;
  }
  ASSERT_EQ(i, count) << name;
}

TEST(Preprocessing, DefaultsEqualOpenCvAndNumpy) {
  std::ifstream file(test::data_golden("preprocess.txt"));
  int rows = 0;
  for (std::string line; std::getline(file, line); ++rows) {
    std::istringstream row(line);
    std::string mode, kind;
    int height = 0, width = 0, size = 0;
    row >> mode >> height >> width >> size >> kind;
    const InputSpec input{size, size, parse_normalization(kind)};
    const auto preprocessing = make_preprocessing(input, mode == "pickle", {.original = mode == "original"});
    expect_samples(row, run(formula_image(height, width), preprocessing), 300, line.substr(0, 40));
  }
  EXPECT_EQ(rows, 24);
}

TEST(Preprocessing, ChoicesEqualOpenCvPilAndKeras) {
  std::ifstream file(test::data_golden("preprocessing_choices.txt"));
  int rows = 0, bytes = 0;
  for (std::string line; std::getline(file, line); ++rows) {
    std::istringstream row(line);
    std::string fit, resize, normalization;
    row >> fit;
    if (fit == "bytes") {
      row >> normalization;
      const PixelTable table = pixel_table(parse_normalization(normalization));
      for (std::size_t i = 0; i < 768; ++i) {
        float expected = std::nanf("");
        row >> expected;
        ASSERT_EQ(table.values[i % 3][i / 3], expected) << normalization << ", byte " << i / 3;
      }
      EXPECT_EQ(table.bgr, normalization == "caffe");
      ++bytes;
      continue;
    }
    int height = 0, width = 0;
    InputSpec input;
    row >> resize >> height >> width >> input.height >> input.width >> normalization;
    input.normalization = parse_normalization(normalization);
    const Preprocessing preprocessing{input, parse_fit(fit), parse_resize(resize)};
    expect_samples(row, run(formula_image(height, width), preprocessing), 100, line.substr(0, 60));
  }
  EXPECT_EQ(rows, 78);
  EXPECT_EQ(bytes, 6);
}

TEST(Preprocessing, EveryByteValueIsExact) {
  Image image{16, 16, {}};
  for (int i = 0; i < 256; ++i) {
    for (int c = 0; c < 3; ++c) image.rgb.push_back(static_cast<std::uint8_t>((i + 85 * c) & 255));
  }
  const auto tf = run(image, {{16, 16, Normalization::kTf}});
  const auto caffe = run(image, {{16, 16, Normalization::kCaffe}});
  constexpr float kMean[3] = {103.939f, 116.779f, 123.68f};
  for (std::size_t i = 0; i < tf.size(); ++i) {
    const std::size_t c = i % 3, mirrored = i - c + (2 - c);
    const float quotient = static_cast<float>(image.rgb[i]) / 127.5f;
    ASSERT_EQ(tf[i], quotient - 1.0f) << i;
    ASSERT_EQ(caffe[i], static_cast<float>(image.rgb[mirrored]) - kMean[c]) << i;
  }
  EXPECT_EQ(*std::min_element(tf.begin(), tf.end()), -1.0f);
  EXPECT_EQ(*std::max_element(tf.begin(), tf.end()), 1.0f);
}

// Every fit of pictures that are lines or a point, to squares and to strips: finite memory, and every value a byte's.
TEST(Preprocessing, ExtremeShapesFit) {
  for (const auto& [height, width] : {std::pair{1, 1}, {3, 700}, {700, 2}, {1, 65500}, {65500, 1}}) {
    const Image image = formula_image(height, width);
    for (const Fit fit : {Fit::kCrop, Fit::kSquash, Fit::kPad, Fit::kPadCentre}) {
      for (const auto& [to_h, to_w] : {std::pair{224, 224}, {1, 1}, {7, 500}, {500, 7}}) {
        const Preprocessing preprocessing{{to_h, to_w, Normalization::kTf}, fit, Resize::kBicubic};
        for (const float value : run(image, preprocessing)) ASSERT_TRUE(value >= -1.0f && value <= 1.0f);
        const Geometry g = preprocessing.geometry(height, width);
        EXPECT_TRUE(g.height >= 1 && g.width >= 1 && g.top + g.height <= to_h && g.left + g.width <= to_w)
            << to_string(fit) << ' ' << height << 'x' << width;
      }
    }
  }
}

TEST(Preprocessing, WrongDestinationIsAnError) {
  std::vector<float> dst(10);
  EXPECT_THROW((Preprocessing{{8, 8, {}}}.apply(formula_image(8, 8), dst)), Error);
  EXPECT_THROW((Preprocessing{{8, 8, {}}}.apply(Image{8, 8, {1, 2, 3}}, dst)), Error);
  EXPECT_THROW((Preprocessing{{0, 8, {}}}.apply(formula_image(8, 8), std::span<float>())), Error);
  EXPECT_THROW((Preprocessing{{8, 8, {}}}.geometry(0, 8)), Error);
}

// Three equal channels stay so, up to the normalization's constants.
TEST(Preprocessing, GreyPicturesStayGrey) {
  const Image grey = read_image(test::data_golden("grey.jpg"));
  for (const Fit fit : {Fit::kCrop, Fit::kSquash, Fit::kPad}) {
    const auto dst = run(grey, {{32, 32, Normalization::kUnit}, fit, Resize::kBicubic});
    for (std::size_t i = 0; i < dst.size(); i += 3) ASSERT_TRUE(dst[i] == dst[i + 1] && dst[i] == dst[i + 2]);
  }
}

// A picture whose bytes are positions, resized: the geometry says where each came from. Linear interpolation keeps
// ramps.
TEST(Preprocessing, GeometryLeadsBackToThePicture) {
  for (const auto& [height, width] : {std::pair{200, 120}, {90, 250}, {64, 64}}) {
    Image image{height, width, {}};
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) image.rgb.insert(image.rgb.end(), {std::uint8_t(y), std::uint8_t(x), 255});
    }
    std::vector<Preprocessing> all{make_preprocessing({299, 260, Normalization::kNone}, false, {.original = true})};
    for (const Fit fit : {Fit::kCrop, Fit::kSquash, Fit::kPad, Fit::kPadCentre}) {
      for (const Resize resize : {Resize::kBilinear, Resize::kBicubic, Resize::kNearest}) {
        all.push_back({{48, 80, Normalization::kNone}, fit, resize});
      }
    }
    for (const Preprocessing& p : all) {
      SCOPED_TRACE(to_string(p.fit) + " " + to_string(p.resize));
      std::vector<float> dst(static_cast<std::size_t>(p.input.height * p.input.width) * 3);
      const Geometry g = p.apply(image, dst);
      // Half a pixel of the picture where the nearest is taken; a byte's rounding twice, else.
      const double tolerance = p.resize == Resize::kNearest ? 0.51 : 1.1;
      for (int y = 0; y < p.input.height; ++y) {
        for (int x = 0; x < p.input.width; ++x) {
          const float* pixel = &dst[static_cast<std::size_t>(y * p.input.width + x) * 3];
          const bool inside = y >= g.top && y < g.top + g.height && x >= g.left && x < g.left + g.width;
          ASSERT_EQ(pixel[2], inside ? 255 : 128) << y << ' ' << x;
          if (!inside) continue;
          const double from_y = g.picture_y(y + 0.5), from_x = g.picture_x(x + 0.5);
          ASSERT_NEAR(pixel[0], std::clamp(from_y - 0.5, 0.0, height - 1.0), tolerance) << y << ' ' << x;
          ASSERT_NEAR(pixel[1], std::clamp(from_x - 0.5, 0.0, width - 1.0), tolerance) << y << ' ' << x;
          ASSERT_NEAR(g.input_y(from_y), y + 0.5, 1e-9);
          ASSERT_NEAR(g.input_x(from_x), x + 0.5, 1e-9);
        }
      }
    }
  }
}

TEST(Preprocessing, NamesOfTheDefaultsAreThoseOfEveryVersion) {
  const auto name = [](const Dataset& data, const InputSpec& input, bool original = false) {
    return preprocessing_name(data, make_preprocessing(input, data, {.original = original}));
  };
  const InputSpec k224{224, 224, Normalization::kTf}, k227{227, 227, Normalization::kCaffe}, k299{299, 299, {}};
  EXPECT_EQ(name(*open_demo("test", 1), {96, 96, Normalization::kTf}), "demo96_tf");
  const auto pickle = open_pickle(test::data_golden("ints_p4.pkl"));
  EXPECT_EQ(name(*pickle, k224), "crop224_tf");
  EXPECT_EQ(name(*pickle, k227, true), "crop224_bilinear227_caffe-bgr");
  const test::TemporaryFolder folder;
  std::filesystem::create_directory(folder / "n00000001");
  test::write_text(folder / "n00000001/a.jpg", "");
  const auto images = open_folder(folder.path().string(), "");
  EXPECT_EQ(name(*images, k299), "bicubic342_crop299_tf");
  EXPECT_EQ(name(*images, k227), "bicubic256_crop227_caffe-bgr");
  EXPECT_EQ(name(*images, k299, true), "bicubic256_crop224_bilinear299_tf");
  EXPECT_EQ(name(*images, {224, 224, Normalization::kCaffe}, true), "bicubic256_crop224_caffe-bgr");
}

TEST(Preprocessing, NamesOfChoicesDiffer) {
  const auto pickle = open_pickle(test::data_golden("ints_p4.pkl"));
  const test::TemporaryFolder folder;
  std::filesystem::create_directory(folder / "n00000001");
  test::write_text(folder / "n00000001/a.jpg", "");
  const auto images = open_folder(folder.path().string(), "");
  const auto name = [](const Dataset& data, const Preprocessing& p) { return preprocessing_name(data, p); };
  const InputSpec strip{256, 320, Normalization::kTorch};
  EXPECT_EQ(name(*images, {strip, Fit::kCrop, Resize::kBilinear}), "bilinear293_crop256x320_torch");
  EXPECT_EQ(name(*images, {strip, Fit::kSquash, Resize::kNearest}), "nearest256x320_torch");
  EXPECT_EQ(name(*images, {strip, Fit::kPad, Resize::kBicubic}), "bicubic_pad256x320_torch");
  EXPECT_EQ(name(*images, {strip, Fit::kPadCentre, Resize::kBicubic}), "bicubic_pad-centre256x320_torch");
  EXPECT_EQ(name(*pickle, {{224, 224, Normalization::kUnit}, Fit::kCrop, Resize::kBicubic}),
            "crop224_bicubic256_crop224_unit");
  EXPECT_EQ(name(*pickle, {{224, 224, Normalization::kNone}, Fit::kPad, Resize::kNearest}), "crop224_none")
      << "nothing is left to be padded";
  EXPECT_EQ(name(*pickle, {{64, 64, parse_normalization("mean=1,2,3:std=4,5,6.5")}, Fit::kSquash, Resize::kBicubic}),
            "crop224_bicubic64_mean=1,2,3:std=4,5,6.5");
}

// As PIL's convert("L"), of which every grey of equal channels stays as it is.
TEST(Preprocessing, OneChannelIsGrey) {
  const Image image{1, 4, {255, 0, 0, 0, 255, 0, 0, 0, 255, 12, 200, 99}};
  EXPECT_EQ(run(image, {{1, 4, Normalization::kNone, 1}}), (std::vector<float>{76, 150, 29, 132}));
  EXPECT_EQ(run(image, {{1, 4, parse_normalization("mean=10:std=2"), 1}}), (std::vector<float>{33, 70, 9.5f, 61}));
  Image greys{16, 16, {}};
  for (int i = 0; i < 256; ++i) greys.rgb.insert(greys.rgb.end(), 3, static_cast<std::uint8_t>(i));
  for (const auto kind : {Normalization::kTf, Normalization::kUnit}) {
    const std::vector<float> values = run(greys, {{16, 16, kind, 1}});
    const PixelTable table = pixel_table(kind);
    for (std::size_t i = 0; i < 256; ++i) EXPECT_EQ(values[i], table.values[0][i]) << i;
  }
  // Resized first, then made grey.
  const Preprocessing colors{{9, 7, Normalization::kNone}, Fit::kPadCentre, Resize::kBicubic};
  Preprocessing grey = colors;
  grey.input.channels = 1;
  const Image picture = formula_image(40, 21);
  const std::vector<float> rgb = run(picture, colors), values = run(picture, grey);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto byte = [&](std::size_t c) { return static_cast<int>(rgb[3 * i + c]); };
    EXPECT_EQ(values[i], static_cast<float>((byte(0) * 19595 + byte(1) * 38470 + byte(2) * 7471 + 32768) >> 16)) << i;
  }
}

TEST(Preprocessing, ChannelsDecideWhatPicturesServe) {
  const auto pickle = open_pickle(test::data_golden("ints_p4.pkl"));
  const Preprocessing grey = make_preprocessing({28, 28, Normalization::kUnit, 1}, *pickle);
  EXPECT_EQ(preprocessing_name(*pickle, grey), "crop224_bilinear28_grey_unit");
  EXPECT_FALSE(grey.only_resizes());
  EXPECT_NE(test::error_of([&] {
              make_preprocessing({28, 28, {}, 4}, *pickle);
            })
                .find("the network takes 4 channels, which no picture has: its data are arrays, --data X.npy of N x 28 "
                      "x 28 x 4"),
            std::string::npos);
  for (const char* text : {"caffe", "torch", "mean=1,1,1:std=2,2,2"}) {
    const Normalization normalization = parse_normalization(text);
    EXPECT_TRUE(normalization.by_color()) << text;
    EXPECT_NE(test::error_of([&] {
                make_preprocessing({28, 28, normalization, 1}, false);
              }).find("takes one channel"),
              std::string::npos);
  }
  for (const char* text : {"none", "tf", "unit", "mean=1:std=2"})
    EXPECT_FALSE(parse_normalization(text).by_color()) << text;
  EXPECT_EQ(formula(parse_normalization("mean=1:std=2"), 1), "grey as (x - 1) / 2");
  EXPECT_EQ(formula(Normalization::kUnit, 1), "grey as x / 255");
  EXPECT_EQ(pixel_table(parse_normalization("mean=9:std=2")), pixel_table(parse_normalization("mean=9,9,9:std=2,2,2")));
}

// B, G, R of the colours that their own mean and deviation are of.
TEST(Preprocessing, BlueComesFirst) {
  const Normalization rgb = parse_normalization("mean=123,117,104:std=1,2,4"), bgr = rgb.in_bgr();
  const PixelTable in_rgb = pixel_table(rgb), in_bgr = pixel_table(bgr);
  EXPECT_FALSE(in_rgb.bgr);
  EXPECT_TRUE(in_bgr.bgr);
  for (std::size_t c = 0; c < 3; ++c) EXPECT_EQ(in_bgr.values[c], in_rgb.values[2 - c]);
  EXPECT_NE(rgb, bgr);
  EXPECT_TRUE(bgr.by_color());
  EXPECT_TRUE(parse_normalization("tf:bgr").by_color());
  EXPECT_EQ(formula(bgr), "B, G, R as (x - (104,117,123)) / (4,2,1)");
  EXPECT_EQ(formula(parse_normalization("mean=1:std=2:bgr")), "B, G, R as (x - 1) / 2");
  EXPECT_NE(test::error_of([] { parse_normalization("caffe:bgr"); }).find("B, G, R already"), std::string::npos);
  // Caffe's own, in these words.
  const PixelTable caffe = pixel_table(Normalization::kCaffe);
  EXPECT_EQ(pixel_table(parse_normalization("mean=123.68,116.779,103.939:std=1,1,1:bgr")), caffe);
}

TEST(Preprocessing, ChoicesTakeThePlaceOfDefaults) {
  const InputSpec input{224, 224, Normalization::kTf};
  const Preprocessing whole = make_preprocessing(input, false), stored = make_preprocessing(input, true);
  EXPECT_EQ(whole, (Preprocessing{input, Fit::kCrop, Resize::kBicubic}));
  EXPECT_EQ(stored, (Preprocessing{input, Fit::kSquash, Resize::kBilinear}));
  EXPECT_TRUE(stored.only_resizes());
  EXPECT_FALSE(whole.only_resizes());
  for (const Fit fit : {Fit::kPad, Fit::kPadCentre, Fit::kSquash})
    EXPECT_EQ(make_preprocessing(input, false, {.fit = fit}), (Preprocessing{input, fit, Resize::kBilinear}));
  EXPECT_EQ(make_preprocessing(input, true, {.normalization = Normalization::kUnit, .resize = Resize::kNearest}),
            (Preprocessing{{224, 224, Normalization::kUnit}, Fit::kSquash, Resize::kNearest}));
  EXPECT_FALSE(make_preprocessing(input, false, {.original = true}).only_resizes());
  EXPECT_EQ(make_preprocessing(input, true, {.original = true}), stored);
  EXPECT_THROW(make_preprocessing(input, false, {.fit = Fit::kPad, .original = true}), Error);
}

TEST(Preprocessing, TextIsReadBack) {
  for (const char* text : {"none", "tf", "caffe", "torch", "unit", "mean=123.675,-1,0:std=58.395,1,1e+20",
                           "mean=127.5:std=64", "tf:bgr", "mean=123,117,104:std=1,1,1:bgr", "mean=127.5:std=64:bgr"}) {
    EXPECT_EQ(to_string(parse_normalization(text)), text);
  }
  for (const char* text : {"crop", "squash", "pad", "pad-centre"}) EXPECT_EQ(to_string(parse_fit(text)), text);
  for (const char* text : {"bilinear", "bicubic", "nearest"}) EXPECT_EQ(to_string(parse_resize(text)), text);
  for (const char* text : {"224", "256x320", "4096", "1x2"}) EXPECT_EQ(to_string(parse_input_size(text)), text);
  EXPECT_EQ(parse_input_size("256x320"), (InputSize{256, 320}));
  EXPECT_EQ(parse_input_size("64x64"), (InputSize{64, 64}));
}

TEST(Preprocessing, WhatIsNotAcceptedIsSaid) {
  const auto says = [](const auto& parse, const std::string& text, const std::string& message) {
    EXPECT_NE(test::error_of([&] { parse(text); }).find(message), std::string::npos)
        << text << ": " << test::error_of([&] { parse(text); });
  };
  const auto accepted = "expected none, tf, caffe, torch, unit, mean=M,M,M:std=S,S,S or mean=M:std=S";
  for (const char* text : {"", "TF", "imagenet", "mean=1,2:std=1,2,3", "mean=1,2,3", "mean=1,2,3:std=1,2,3,4",
                           "mean=1,2,x:std=1,2,3", "mean=1:std=1,2,3", "mean=1,2,3:std=1", "bgr", "tf:bgr:bgr",
                           "mean=1,2,3:bgr", "mean=1,:std=1", "mean=1,2,3;std=1,2,3", "mean= 1,2,3:std=1,2,3"}) {
    says(parse_normalization, text, accepted);
  }
  for (const char* text : {"mean=nan,0,0:std=1,1,1", "mean=0,0,0:std=1,inf,1"}) {
    says(parse_normalization, text, "must be finite numbers");
  }
  for (const char* text : {"mean=0,0,0:std=1,0,1", "mean=0,0,0:std=1,-1,1", "mean=0.5,0.5,0.5:std=0.2,0.2,0.2"}) {
    says(parse_normalization, text, "std must be at least 1");
  }
  says(parse_normalization, "mean=1e99,0,0:std=1,1,1", "float32 can hold");
  EXPECT_THROW(Normalization::mean_std({0, 0, 0}, {1, std::numeric_limits<float>::quiet_NaN(), 1}), Error);
  says(parse_fit, "center", "expected crop, squash, pad or pad-centre");
  says(parse_resize, "area", "expected bilinear, bicubic or nearest");
  for (const char* text : {"", "0", "0x5", "5x0", "-3", "224x", "x224", "4097", "99999999999", "224 x 224", "1x2x3"}) {
    says(parse_input_size, text, "expected HEIGHTxWIDTH such as 256x320");
  }
}

}  // namespace
}  // namespace gpueval
