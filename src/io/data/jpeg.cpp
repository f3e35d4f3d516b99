// SPDX-License-Identifier: Apache-2.0
#include <turbojpeg.h>

#include <algorithm>
#include <array>
#include <new>
#include <string_view>
#include <utility>

#include "io/data/bad_image.h"
#include "io/data/decode_memory.h"
#include "io/data/exif.h"
#include "io/data/jpeg_scans.h"
#include "io/data/picture_kind.h"

namespace gpueval {
namespace {

using data::bad_image;
using data::kMaxPixels;

// Every scan goes over all pixels. The largest picture may have 20 scans; encoders write about 10.
constexpr std::int64_t kMaxScannedPixels = 20 * kMaxPixels;

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

// What libjpeg-turbo said of the bytes; that it had no memory is no verdict on them.
[[noreturn]] void corrupt(tjhandle decoder, const std::string& name) {
  const std::string_view reason = tjGetErrorStr2(decoder);
  if (reason.find("nsufficient memory") != std::string_view::npos ||
      reason.find("Memory allocation failure") != std::string_view::npos) {
    throw std::bad_alloc();
  }
  bad_image("{}: corrupt JPEG: {}", name, reason);
}

struct Header {
  int width = 0, height = 0;
  bool four_colors = false;  // CMYK or YCCK
  std::uint64_t coefficient_bytes = 0;
  std::size_t pixels() const { return static_cast<std::size_t>(width) * static_cast<std::size_t>(height); }
};

Header read_header(tjhandle decoder, std::span<const std::uint8_t> bytes, const std::string& name) {
  if (data::picture_kind(bytes) != data::PictureKind::kJpeg) {
    bad_image("{}: expected a JPEG image, found {}", name, data::describe_picture(bytes));
  }
  Header header;
  int subsampling = -1, colors = -1;
  // A rare subsampling is an error of this call alone: it decodes, and the size is set.
  const int status = tjDecompressHeader3(decoder, bytes.data(), static_cast<unsigned long>(bytes.size()), &header.width,
                                         &header.height, &subsampling, &colors);
  if (header.width < 1 || header.height < 1 || (status != 0 && colors < 0)) {
    corrupt(decoder, name);
  }
  if (std::int64_t{header.width} * header.height > kMaxPixels) {
    bad_image("{}: {} x {} pixels, expected at most {}", name, header.width, header.height, kMaxPixels);
  }
  const data::JpegScans scans = data::jpeg_scans(bytes);
  if (std::int64_t{header.width} * header.height * scans.count > kMaxScannedPixels) {
    bad_image("{}: {} scans of {} x {} pixels, expected at most {} pixels in all scans together", name, scans.count,
              header.width, header.height, kMaxScannedPixels);
  }
  header.coefficient_bytes = scans.coefficient_bytes;
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
  for (const int flags : {TJFLAG_LIMITSCANS | TJFLAG_STOPONWARNING, TJFLAG_LIMITSCANS}) {
    const int status = tjDecompress2(decoder, bytes.data(), static_cast<unsigned long>(bytes.size()), pixels.data(),
                                     header.width, 0, header.height, format, flags);
    if (status == 0) return;
    const bool warning = tjGetErrorCode(decoder) == TJERR_WARNING;
    if (!warning || !is_harmless(tjGetErrorStr2(decoder))) corrupt(decoder, name);
  }
}

// As OpenCV does it: inverted CMYK, as Adobe writes it. In place: four bytes a pixel become three.
void cmyk_to_rgb(std::vector<std::uint8_t>& pixels, StoredColors stored) {
  std::uint8_t* rgb = pixels.data();
  for (std::size_t i = 0; i + 3 < pixels.size(); i += 4, rgb += 3) {
    const int black = pixels[i + 3];
    std::uint8_t colors[3];
    for (std::size_t c = 0; c < 3; ++c)
      colors[c] = static_cast<std::uint8_t>(black - ((255 - pixels[i + c]) * black >> 8));
    if (stored == StoredColors::kBgr) std::swap(colors[0], colors[2]);
    std::copy_n(colors, 3, rgb);
  }
  pixels.resize(pixels.size() / 4 * 3);
}

// What decoding and turning the picture takes at most at one time.
std::uint64_t needed_memory(const Header& header, int orientation) {
  const std::uint64_t picture = header.pixels() * (header.four_colors ? 4 : 3);
  return picture + std::max<std::uint64_t>(header.coefficient_bytes, orientation > 1 ? header.pixels() * 3 : 0);
}

}  // namespace

Image decode_jpeg(std::span<const std::uint8_t> bytes, const std::string& name, StoredColors stored) {
  const Decoder decoder;
  const Header header = read_header(decoder.get(), bytes, name);
  const int orientation = data::exif_orientation(bytes);
  const data::DecodeMemory memory;
  memory.reserve(needed_memory(header, orientation));
  Image image{header.height, header.width, std::vector<std::uint8_t>(header.pixels() * (header.four_colors ? 4 : 3))};
  if (header.four_colors) {
    decode_pixels(decoder.get(), bytes, name, header, TJPF_CMYK, image.rgb);
    cmyk_to_rgb(image.rgb, stored);
  } else {
    decode_pixels(decoder.get(), bytes, name, header, stored == StoredColors::kBgr ? TJPF_BGR : TJPF_RGB, image.rgb);
  }
  return data::apply_orientation(std::move(image), orientation);
}

}  // namespace gpueval
