// SPDX-License-Identifier: Apache-2.0
// Arrays of any bytes: the header fits the file, or is an Error.
#include <cstdlib>

#include "gpueval/error.h"
#include "io/data/npy_header.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const gpueval::data::MemorySource file({bytes, size}, "fuzz.npy");
  try {
    const gpueval::data::NpyHeader header = gpueval::data::read_npy_header(file);
    std::uint64_t expected = header.bytes;
    for (const std::uint64_t extent : header.shape) expected *= extent;
    if (header.first > size || size - header.first != expected) std::abort();
  } catch (const gpueval::Error&) {
    // Refused, in a sentence: what is wanted of a damaged file.
  }
  return 0;
}
