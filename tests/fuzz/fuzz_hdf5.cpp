// SPDX-License-Identifier: Apache-2.0
// Weight files of any bytes: read_weight_bytes must return or throw Error, nothing else.
#include <cstddef>
#include <cstdint>
#include <span>

#include "gpueval/error.h"
#include "io/weights/read_weights.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    gpueval::read_weight_bytes(std::as_bytes(std::span(data, size)), "fuzz");
  } catch (const gpueval::Error&) {
  }
  return 0;
}
