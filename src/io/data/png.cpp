// SPDX-License-Identifier: Apache-2.0
// libpng leaves by longjmp at whatever it finds wrong, so nothing with a destructor lives in the functions that it
// leaves: those of PngReader that return bool.
#include <png.h>

#include <algorithm>
#include <cstdio>
#include <new>
#include <string_view>

#include "io/data/bad_image.h"
#include "io/data/decode_memory.h"
#include "io/data/exif.h"
#include "io/data/picture_kind.h"

namespace gpueval {
namespace {

using EncodedPng = std::span<const std::uint8_t>;

class PngReader {
 public:
  explicit PngReader(EncodedPng file) : rest_(file) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
    info_ = png_ == nullptr ? nullptr : png_create_info_struct(png_);
    if (info_ == nullptr) {
      png_destroy_read_struct(&png_, nullptr, nullptr);
      throw std::bad_alloc();
    }
    png_set_read_fn(png_, this, on_read);
    png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // the product is what counts, and it is checked
    // Texts, profiles and the like change no pixel, and may unpack to anything.
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
  }
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  bool read_header() {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    png_read_info(png_, info_);
    return true;
  }
  // height x width x 3 bytes, which must be zeros: an interlaced picture is filled in pass by pass.
  bool read_pixels(std::uint8_t* rgb) {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    ask_for_rgb();
    const int passes = png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    if (png_get_rowbytes(png_, info_) != 3 * width()) png_error(png_, "unexpected length of a row");
    for (int pass = 0; pass < passes; ++pass) read_pass(rgb);
    png_read_end(png_, nullptr);  // a file that was cut short behind its pixels may have lost some before, too
    return true;
  }
  std::size_t width() const { return png_get_image_width(png_, info_); }
  std::size_t height() const { return png_get_image_height(png_, info_); }
  std::string_view error() const { return error_; }

 private:
  // As cv2.imdecode(IMREAD_COLOR): the upper byte of 16 bits, no alpha, no gamma.
  void ask_for_rgb() {
    const int colors = png_get_color_type(png_, info_), bits = png_get_bit_depth(png_, info_);
    if (bits == 16) png_set_strip_16(png_);
    if (colors == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png_);
    if ((colors & PNG_COLOR_MASK_COLOR) == 0) {
      if (bits < 8) png_set_expand_gray_1_2_4_to_8(png_);
      png_set_gray_to_rgb(png_);
    }
    png_set_strip_alpha(png_);
  }
  void read_pass(std::uint8_t* rgb) {
    const std::size_t row_bytes = 3 * width();
    for (std::size_t y = 0; y < height(); ++y) png_read_row(png_, rgb + y * row_bytes, nullptr);
  }

  static void on_read(png_structp png, png_bytep dst, std::size_t count) {
    auto& reader = *static_cast<PngReader*>(png_get_io_ptr(png));
    if (count > reader.rest_.size()) png_error(png, "the file is cut short");
    std::copy_n(reader.rest_.begin(), count, dst);
    reader.rest_ = reader.rest_.subspan(count);
  }
  [[noreturn]] static void on_error(png_structp png, png_const_charp text) {
    auto& reader = *static_cast<PngReader*>(png_get_error_ptr(png));
    std::snprintf(reader.error_, sizeof(reader.error_), "%s", text);
    png_longjmp(png, 1);
  }
  static void on_warning(png_structp, png_const_charp) {}  // of what changes no pixel

  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  EncodedPng rest_;
  char error_[128] = "";
};

[[noreturn]] void corrupt(const PngReader& reader, const std::string& name) {
  const std::string_view reason = reader.error();
  if (reason.find("ut of memory") != std::string_view::npos ||
      reason.find("nsufficient memory") != std::string_view::npos) {
    throw std::bad_alloc();
  }
  data::bad_image("{}: corrupt PNG: {}", name, reason);
}

}  // namespace

Image decode_png(EncodedPng bytes, const std::string& name) {
  if (data::picture_kind(bytes) != data::PictureKind::kPng) {
    data::bad_image("{}: expected a PNG image, found {}", name, data::describe_picture(bytes));
  }
  PngReader reader(bytes);
  if (!reader.read_header()) corrupt(reader, name);
  const std::size_t height = reader.height(), width = reader.width();
  if (static_cast<std::uint64_t>(height) * width > std::uint64_t{data::kMaxPixels}) {
    data::bad_image("{}: {} x {} pixels, expected at most {}", name, width, height, data::kMaxPixels);
  }
  const int orientation = data::png_orientation(bytes);
  const data::DecodeMemory memory;
  memory.reserve(height * width * (orientation > 1 ? 6 : 3));
  Image image{static_cast<int>(height), static_cast<int>(width), std::vector<std::uint8_t>(height * width * 3)};
  if (!reader.read_pixels(image.rgb.data())) corrupt(reader, name);
  return data::apply_orientation(std::move(image), orientation);
}

}  // namespace gpueval
