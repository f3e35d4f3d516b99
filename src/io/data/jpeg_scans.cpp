// SPDX-License-Identifier: Apache-2.0
#include "io/data/jpeg_scans.h"

#include <algorithm>
#include <cstring>

namespace gpueval::data {
namespace {

using Bytes = std::span<const std::uint8_t>;
constexpr std::uint8_t kDefineHuffman = 0xc4, kDefineArithmetic = 0xcc, kReservedFrame = 0xc8;
constexpr std::uint8_t kEndOfImage = 0xd9, kStartOfScan = 0xda;

struct Frame {
  bool known = false, progressive = false;
  int components = 0;
  std::uint64_t coefficients = 0;
};

bool is_frame(std::uint8_t marker) {
  return marker >= 0xc0 && marker <= 0xcf && marker != kDefineHuffman && marker != kDefineArithmetic &&
         marker != kReservedFrame;
}
// Markers without a length, and what stands for the byte 0xff in a scan.
bool stands_alone(std::uint8_t marker) { return marker <= 1 || (marker >= 0xd0 && marker <= 0xd8); }

// Position behind the next marker, its second byte in *marker; the end if there is none.
std::size_t next_marker(Bytes jpeg, std::size_t at, std::uint8_t* marker) {
  while (at + 1 < jpeg.size()) {
    const void* found = std::memchr(jpeg.data() + at, 0xff, jpeg.size() - at - 1);
    if (found == nullptr) break;
    at = static_cast<std::size_t>(static_cast<const std::uint8_t*>(found) - jpeg.data()) + 1;
    *marker = jpeg[at];
    if (*marker == 0xff) continue;  // fill bytes
    ++at;
    if (!stands_alone(*marker)) return at;
  }
  return jpeg.size();
}

// Precision, height, width, components of (id, sampling, table).
Frame read_frame(std::uint8_t marker, Bytes body) {
  Frame frame;
  if (body.size() < 6) return frame;
  frame.known = true;
  frame.progressive = (marker & 3) == 2;
  frame.components = body[5];
  const std::uint64_t height = body[1] * 256u + body[2], width = body[3] * 256u + body[4];
  std::uint64_t most_h = 1, most_v = 1, samples = 0;
  for (std::size_t i = 0; i < body[5] && 6 + 3 * i + 1 < body.size(); ++i) {
    const std::uint64_t h = body[6 + 3 * i + 1] >> 4, v = body[6 + 3 * i + 1] & 15;
    most_h = std::max(most_h, h);
    most_v = std::max(most_v, v);
    samples += h * v;
  }
  const std::uint64_t units = ((width + 8 * most_h - 1) / (8 * most_h)) * ((height + 8 * most_v - 1) / (8 * most_v));
  frame.coefficients = units * samples * 64;
  return frame;
}

}  // namespace

JpegScans jpeg_scans(Bytes jpeg) {
  JpegScans scans;
  Frame frame;
  std::uint8_t marker = 0;
  for (std::size_t at = next_marker(jpeg, 0, &marker); at + 2 <= jpeg.size() && marker != kEndOfImage;) {
    const std::size_t length = jpeg[at] * 256u + jpeg[at + 1];
    if (length < 2 || length > jpeg.size() - at) break;
    const Bytes body = jpeg.subspan(at + 2, length - 2);
    if (is_frame(marker)) frame = read_frame(marker, body);
    if (marker == kStartOfScan) {
      ++scans.count;
      if (frame.known && !frame.progressive && !body.empty() && body[0] == frame.components) return scans;
      scans.coefficient_bytes = frame.coefficients * sizeof(std::int16_t);
    }
    at = next_marker(jpeg, at + length, &marker);
  }
  return scans;
}

}  // namespace gpueval::data
