// SPDX-License-Identifier: Apache-2.0
// Archives of any bytes: ZipArchive unpacks an entry, of no more bytes than it may, or throws Error.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "gpueval/error.h"
#include "io/weights/zip_archive.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const gpueval::ZipArchive archive("fuzz.keras", size, std::as_bytes(std::span(data, size)));
    if (archive.has("config.json")) archive.text("config.json", 1 << 20);
    const std::string entry = archive.find_ending(".h5");
    if (entry.empty()) return 0;
    const std::uint64_t unpacked = archive.size(entry);
    if (unpacked > gpueval::unpacked_limit(size)) std::abort();
    std::vector<std::byte> bytes(unpacked);
    archive.unpack(entry, bytes);
  } catch (const gpueval::Error&) {
    // Refused, in a sentence: what is wanted of a damaged file.
  }
  return 0;
}
