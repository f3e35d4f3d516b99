// SPDX-License-Identifier: Apache-2.0
#include <turbojpeg.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "gpueval/dataset.h"
#include "gpueval/error.h"
#include "io/data/byte_source.h"
#include "io/data/exif.h"

namespace gpueval {
namespace {

constexpr std::int64_t kMaxPixels = 100'000'000;

// One decoder a picture: after an error libjpeg-turbo's would go on in the middle of the bad file.
class Decoder {
 public:
  Decoder() : handle_(tjInitDecompress()) {
    if (handle_ == nullptr) fail("libjpeg-turbo cannot be initialised: {}", tjGetErrorStr2(nullptr));
  }
  ~Decoder() { tjDestroy(handle_); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  tjhandle get() const { return handle_; }

 private:
  tjhandle handle_;
};

struct Header {
  int width = 0, height = 0;
  bool four_colors = false;  // CMYK or YCCK
};

std::string_view kind_of(std::span<const std::uint8_t> bytes) {
  const auto begins = [bytes](std::string_view magic) {
    return bytes.size() >= magic.size() &&
           std::equal(magic.begin(), magic.end(), bytes.begin(),
                      [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; });
  };
  if (bytes.empty()) return "nothing";
  if (begins("\x89PNG")) return "a PNG image";
  if (begins("GIF8")) return "a GIF image";
  if (begins("BM")) return "a BMP image";
  if (begins("RIFF")) return "a RIFF (WebP) file";
  if (begins("\xff\xd8\xff")) return "";
  return "something else";
}

Header read_header(tjhandle decoder, std::span<const std::uint8_t> bytes, const std::string& name) {
  const std::string_view kind = kind_of(bytes);
  if (!kind.empty()) fail("{}: expected a JPEG image, found {}", name, kind);
  Header header;
  int subsampling = -1, colors = -1;
  // A rare subsampling is an error of this call alone: it decodes, and the size is set.
  const int status = tjDecompressHeader3(decoder, bytes.data(), static_cast<unsigned long>(bytes.size()), &header.width,
                                         &header.height, &subsampling, &colors);
  if (header.width < 1 || header.height < 1 || (status != 0 && colors < 0)) {
    fail("{}: corrupt JPEG: {}", name, tjGetErrorStr2(decoder));
  }
  if (std::int64_t{header.width} * header.height > kMaxPixels) {
    fail("{}: {} x {} pixels, expected at most {}", name, header.width, header.height, kMaxPixels);
  }
  header.four_colors = colors == TJCS_CMYK || colors == TJCS_YCCK;
  return header;
}

// libjpeg warns about harmless oddities too (bytes between markers, an unknown version): those pictures are whole.
bool is_harmless(std::string_view warning) {
  constexpr std::array<std::string_view, 4> kHarmless = {"extraneous bytes", "JFIF", "Adobe", "progression"};
  return std::any_of(kHarmless.begin(), kHarmless.end(),
                     [&](std::string_view text) { return warning.find(text) != std::string_view::npos; });
}

void decode_pixels(tjhandle decoder, std::span<const std::uint8_t> bytes, const std::string& name, const Header& header,
                   TJPF format, std::vector<std::uint8_t>& pixels) {
  // Stop at the first warning to learn what it is: of several, libjpeg-turbo keeps only the last.
  for (const int flags : {TJFLAG_STOPONWARNING, 0}) {
    const int status = tjDecompress2(decoder, bytes.data(), static_cast<unsigned long>(bytes.size()), pixels.data(),
                                     header.width, 0, header.height, format, flags);
    if (status == 0) return;
    const bool warning = tjGetErrorCode(decoder) == TJERR_WARNING;
    if (!warning || !is_harmless(tjGetErrorStr2(decoder))) fail("{}: corrupt JPEG: {}", name, tjGetErrorStr2(decoder));
  }
}

// As OpenCV does it: inverted CMYK, as Adobe writes it.
void cmyk_to_rgb(const std::vector<std::uint8_t>& cmyk, std::vector<std::uint8_t>& rgb) {
  for (std::size_t i = 0; i < rgb.size() / 3; ++i) {
    const int black = cmyk[4 * i + 3];
    for (std::size_t c = 0; c < 3; ++c) {
      rgb[3 * i + c] = static_cast<std::uint8_t>(black - ((255 - cmyk[4 * i + c]) * black >> 8));
    }
  }
}

}  // namespace

Image decode_jpeg(std::span<const std::uint8_t> bytes, const std::string& name, StoredColors stored) {
  const Decoder decoder;
  const Header header = read_header(decoder.get(), bytes, name);
  const std::size_t pixels = static_cast<std::size_t>(header.width) * static_cast<std::size_t>(header.height);
  Image image{header.height, header.width, std::vector<std::uint8_t>(pixels * 3)};
  if (header.four_colors) {
    std::vector<std::uint8_t> cmyk(pixels * 4);
    decode_pixels(decoder.get(), bytes, name, header, TJPF_CMYK, cmyk);
    cmyk_to_rgb(cmyk, image.rgb);
    if (stored == StoredColors::kBgr) {
      for (std::size_t i = 0; i < pixels; ++i) std::swap(image.rgb[3 * i], image.rgb[3 * i + 2]);
    }
  } else {
    decode_pixels(decoder.get(), bytes, name, header, stored == StoredColors::kBgr ? TJPF_BGR : TJPF_RGB, image.rgb);
  }
  return data::apply_orientation(std::move(image), data::exif_orientation(bytes));
}

Image read_image(const std::string& path) {
  const data::FileSource file(path);
  constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 28;
  if (file.size() > kMaxBytes) fail("{}: {} bytes, expected an image of at most {}", path, file.size(), kMaxBytes);
  std::vector<std::uint8_t> bytes(file.size());
  file.read(0, bytes);
  return decode_jpeg(bytes, path);
}

}  // namespace gpueval
