// SPDX-License-Identifier: Apache-2.0
// The description of a model, as it stands in a file of Keras: what hostile JSON makes of the importer.
#include <cstddef>
#include <cstdint>
#include <string>

#include "gpueval/error.h"
#include "keras/importer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  gpueval::KerasFile file;
  file.path = "fuzz";
  file.config.assign(reinterpret_cast<const char*>(data), size);
  try {
    gpueval::keras::import_file(file, {.input = {}, .weights = false});
  } catch (const gpueval::Error&) {
  }
  return 0;
}
