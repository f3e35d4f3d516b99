// SPDX-License-Identifier: Apache-2.0
// Weight files of any bytes: read_weight_bytes must return or throw Error, nothing else.
#include <pthread.h>
#include <sanitizer/common_interface_defs.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "gpueval/error.h"
#include "io/weights/read_weights.h"

// libhdf5 keeps what it had allocated when it refuses a file.
extern "C" const char* __asan_default_options() { return "detect_leaks=0"; }

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  // The reader lets libhdf5 die in a child process; that is no finding, so the child must not write libFuzzer's report.
  return pthread_atfork(nullptr, nullptr, [] { __sanitizer_set_death_callback([] {}); });
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    gpueval::read_weight_bytes(std::as_bytes(std::span(data, size)), "fuzz");
  } catch (const gpueval::Error&) {
  }
  return 0;
}
