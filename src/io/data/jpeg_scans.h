// SPDX-License-Identifier: Apache-2.0
// What decoding a JPEG will cost, told from its markers.
#pragma once

#include <cstdint>
#include <span>

namespace gpueval::data {

struct JpegScans {
  int count = 0;                        // scans that the decoder will go through
  std::uint64_t coefficient_bytes = 0;  // of the whole picture, which several scans need in memory; 0 for one scan
};

// Reads marker by marker, and only the headers of a picture in one scan. Whatever the bytes are: no error, the decoder
// gives its own.
JpegScans jpeg_scans(std::span<const std::uint8_t> jpeg);

}  // namespace gpueval::data
