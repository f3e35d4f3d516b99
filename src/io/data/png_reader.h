// SPDX-License-Identifier: Apache-2.0
// PNG files by libpng, which leaves by longjmp at whatever it finds wrong: the functions of PngReader that return bool.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

struct png_struct_def;
struct png_info_def;

namespace gpueval::data {

enum class PngColors { kGrey, kPalette, kOther };

class PngReader {
 public:
  explicit PngReader(std::span<const std::uint8_t> file);
  ~PngReader();
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  // Each of them: false if the file is damaged, and error() says why.
  bool read_header();
  // height x width x 3 bytes, which must be zeros: an interlaced picture is filled in pass by pass.
  bool read_rgb(std::uint8_t* rgb);
  // Grey levels or places in the palette as they are stored: height x width values of value_bytes(), the upper byte
  // first; zeros, too. Of kGrey and kPalette alone.
  bool read_values(std::uint8_t* values);

  std::size_t width() const;
  std::size_t height() const;
  PngColors colors() const;
  std::size_t value_bytes() const;  // 1 or 2
  std::string_view error() const { return error_; }

 private:
  friend struct PngCalls;
  void ask_for_rgb();
  void read_rows(std::uint8_t* dst, std::size_t row_bytes);

  png_struct_def* png_ = nullptr;
  png_info_def* info_ = nullptr;
  std::span<const std::uint8_t> rest_;
  char error_[128] = "";
};

// Reads the header. BadImage for anything that is no PNG, is damaged, or has more pixels than a picture may have.
void read_png_header(PngReader& reader, std::span<const std::uint8_t> bytes, const std::string& name);
// BadImage with the reader's error; bad_alloc where that is what it was.
[[noreturn]] void corrupt_png(const PngReader& reader, const std::string& name);

}  // namespace gpueval::data
