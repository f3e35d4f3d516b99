// SPDX-License-Identifier: Apache-2.0
// Nothing with a destructor lives in the functions that libpng leaves by longjmp.
#include "io/data/png_reader.h"

#include <png.h>

#include <algorithm>
#include <cstdio>
#include <new>

#include "io/data/bad_image.h"
#include "io/data/picture_kind.h"

namespace gpueval::data {

// What libpng calls.
struct PngCalls {
  static void read(png_structp png, png_bytep dst, std::size_t count) {
    auto& reader = *static_cast<PngReader*>(png_get_io_ptr(png));
    if (count > reader.rest_.size()) png_error(png, "the file is cut short");
    std::copy_n(reader.rest_.begin(), count, dst);
    reader.rest_ = reader.rest_.subspan(count);
  }
  [[noreturn]] static void error(png_structp png, png_const_charp text) {
    auto& reader = *static_cast<PngReader*>(png_get_error_ptr(png));
    std::snprintf(reader.error_, sizeof(reader.error_), "%s", text);
    png_longjmp(png, 1);
  }
  static void warning(png_structp, png_const_charp) {}  // of what changes no pixel
};

PngReader::PngReader(std::span<const std::uint8_t> file) : rest_(file) {
  png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, PngCalls::error, PngCalls::warning);
  info_ = png_ == nullptr ? nullptr : png_create_info_struct(png_);
  if (info_ == nullptr) {
    png_destroy_read_struct(&png_, nullptr, nullptr);
    throw std::bad_alloc();
  }
  png_set_read_fn(png_, this, PngCalls::read);
  png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // the product is what counts, and it is checked
  // Texts, profiles and the like change no pixel, and may unpack to anything.
  png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
}

PngReader::~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }

bool PngReader::read_header() {
  if (setjmp(png_jmpbuf(png_)) != 0) return false;
  png_read_info(png_, info_);
  return true;
}

bool PngReader::read_rgb(std::uint8_t* rgb) {
  if (setjmp(png_jmpbuf(png_)) != 0) return false;
  ask_for_rgb();
  read_rows(rgb, 3 * width());
  return true;
}

bool PngReader::read_values(std::uint8_t* values) {
  if (setjmp(png_jmpbuf(png_)) != 0) return false;
  png_set_packing(png_);  // a byte each, not scaled
  read_rows(values, value_bytes() * width());
  return true;
}

// As cv2.imdecode(IMREAD_COLOR): the upper byte of 16 bits, no alpha, no gamma.
void PngReader::ask_for_rgb() {
  const int kind = png_get_color_type(png_, info_), bits = png_get_bit_depth(png_, info_);
  if (bits == 16) png_set_strip_16(png_);
  if (kind == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png_);
  if ((kind & PNG_COLOR_MASK_COLOR) == 0) {
    if (bits < 8) png_set_expand_gray_1_2_4_to_8(png_);
    png_set_gray_to_rgb(png_);
  }
  png_set_strip_alpha(png_);
}

void PngReader::read_rows(std::uint8_t* dst, std::size_t row_bytes) {
  const int passes = png_set_interlace_handling(png_);
  png_read_update_info(png_, info_);
  if (png_get_rowbytes(png_, info_) != row_bytes) png_error(png_, "unexpected length of a row");
  for (int pass = 0; pass < passes; ++pass) {
    for (std::size_t y = 0; y < height(); ++y) png_read_row(png_, dst + y * row_bytes, nullptr);
  }
  png_read_end(png_, nullptr);  // a file that was cut short behind its pixels may have lost some before, too
}

std::size_t PngReader::width() const { return png_get_image_width(png_, info_); }
std::size_t PngReader::height() const { return png_get_image_height(png_, info_); }
std::size_t PngReader::value_bytes() const { return png_get_bit_depth(png_, info_) == 16 ? 2 : 1; }

PngColors PngReader::colors() const {
  switch (png_get_color_type(png_, info_)) {
    case PNG_COLOR_TYPE_GRAY:
      return PngColors::kGrey;
    case PNG_COLOR_TYPE_PALETTE:
      return PngColors::kPalette;
    default:
      return PngColors::kOther;
  }
}

void read_png_header(PngReader& reader, std::span<const std::uint8_t> bytes, const std::string& name) {
  if (picture_kind(bytes) != PictureKind::kPng) {
    bad_image("{}: expected a PNG image, found {}", name, describe_picture(bytes));
  }
  if (!reader.read_header()) corrupt_png(reader, name);
  const std::size_t height = reader.height(), width = reader.width();
  if (static_cast<std::uint64_t>(height) * width > std::uint64_t{kMaxPixels}) {
    bad_image("{}: {} x {} pixels, expected at most {}", name, width, height, kMaxPixels);
  }
}

void corrupt_png(const PngReader& reader, const std::string& name) {
  const std::string_view reason = reader.error();
  if (reason.find("ut of memory") != std::string_view::npos ||
      reason.find("nsufficient memory") != std::string_view::npos) {
    throw std::bad_alloc();
  }
  bad_image("{}: corrupt PNG: {}", name, reason);
}

}  // namespace gpueval::data
