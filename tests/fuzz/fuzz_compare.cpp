// SPDX-License-Identifier: Apache-2.0
// Results of any text: `gpu_eval compare` of each with itself and with a good one, both ways, or Error.
#include <string>

#include "gpueval/error.h"
#include "gpueval/report.h"
#include "temporary_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static const gpueval::fuzz::TemporaryFile file("result.json");
  static const std::string good = GPUEVAL_SOURCE_DIR "/tests/golden/fuzz/compare/speed.json";
  file.write(bytes, size);
  try {
    gpueval::compare_results(file.path(), file.path());
    gpueval::compare_results(file.path(), good);
    gpueval::compare_results(good, file.path());
  } catch (const gpueval::Error&) {
  }
  return 0;
}
