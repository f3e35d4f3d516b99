// SPDX-License-Identifier: Apache-2.0
// Results of any text: what `gpu_eval compare` reads of them, or Error.
#include "gpueval/error.h"
#include "report/result_file.h"
#include "temporary_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static const gpueval::fuzz::TemporaryFile file("result.json");
  file.write(bytes, size);
  try {
    gpueval::read_result(file.path());
  } catch (const gpueval::Error&) {
  }
  return 0;
}
