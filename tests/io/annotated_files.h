// SPDX-License-Identifier: Apache-2.0
// Folders with pictures, label maps and boxes, as the tests of annotated data sets make them.
#pragma once

#include <png.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "support/data_files.h"

namespace gpueval::test {

struct PngForm {
  int color_type = PNG_COLOR_TYPE_PALETTE, bits = 8;
  bool interlaced = false;
};

// The rows as they go into the file (packed below 8 bits, two bytes a value of 16).
inline void write_png(const std::filesystem::path& path, int width, int height, std::vector<std::uint8_t> rows,
                      const PngForm& form = {}) {
  std::filesystem::create_directories(path.parent_path());
  std::FILE* file = std::fopen(path.c_str(), "wb");
  ASSERT_NE(file, nullptr) << path;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_init_io(png, file);
  png_set_IHDR(png, info, static_cast<png_uint_32>(width), static_cast<png_uint_32>(height), form.bits, form.color_type,
               form.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  std::vector<png_color> palette(std::size_t{1} << std::min(form.bits, 8));
  for (std::size_t i = 0; i < palette.size(); ++i) palette[i].red = static_cast<png_byte>(255 - i);  // not the index
  if (form.color_type == PNG_COLOR_TYPE_PALETTE)
    png_set_PLTE(png, info, palette.data(), static_cast<int>(palette.size()));
  png_write_info(png, info);
  std::vector<png_bytep> starts(static_cast<std::size_t>(height));
  for (std::size_t y = 0; y < starts.size(); ++y) starts[y] = rows.data() + y * (rows.size() / starts.size());
  png_write_image(png, starts.data());
  png_write_end(png, nullptr);
  png_destroy_write_struct(&png, &info);
  std::fclose(file);
}

// A folder of the running test that files of sub-folders are put in.
class AnnotatedTest : public testing::Test {
 protected:
  std::string path() const { return folder_.path().string(); }
  void text(const std::string& name, const std::string& content) const {
    std::filesystem::create_directories((folder_.path() / name).parent_path());
    write_text(folder_.path() / name, content);
  }
  // RGB, whose pixels nobody looks at; or a mask of one value.
  void picture(const std::string& name, int width = 4, int height = 3) const {
    write_png(folder_.path() / name, width, height,
              std::vector<std::uint8_t>(3u * static_cast<unsigned>(width * height)),
              {.color_type = PNG_COLOR_TYPE_RGB});
  }
  void mask(const std::string& name, std::uint8_t value, int width = 4, int height = 3) const {
    write_png(folder_.path() / name, width, height,
              std::vector<std::uint8_t>(static_cast<std::size_t>(width * height), value));
  }
  void remove(const std::string& name) const { std::filesystem::remove_all(folder_.path() / name); }
  std::unique_ptr<Dataset> open(TruthKind truth, const std::string& split = "") const {
    return open_annotated({.path = path(), .split = split, .truth = truth});
  }
  std::string boxes_error(const std::string& split = "", const std::vector<std::string>& classes = {}) const {
    return error_of(
        [&] { open_annotated({.path = path(), .split = split, .truth = TruthKind::kBoxes, .classes = classes}); });
  }
  std::string maps_error(const std::string& split = "") const {
    return error_of([&] { open(TruthKind::kLabelMap, split); });
  }

  TemporaryFolder folder_;
};

}  // namespace gpueval::test
