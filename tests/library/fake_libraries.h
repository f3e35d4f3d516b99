// SPDX-License-Identifier: Apache-2.0
// Libraries of plain loops (fake/) in the place of cuDNN and cuBLASLt: our host code around them runs on the emulator.
#pragma once

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdlib>
#include <string>

#include "cuda/library/baselines.h"
#include "gpueval/error.h"

namespace gpueval::cuda {

// One of them, loaded.
class FakeLibrary {
 public:
  explicit FakeLibrary(const std::string& file) {
    setenv("GPUEVAL_CUDA_LIBRARIES", GPUEVAL_FAKE_LIBRARIES, 1);
    for (const LibraryInfo& info : library_infos()) {
      if (!info.why.empty()) fail("{}", info.why);
    }
    void* const library = dlopen((GPUEVAL_FAKE_LIBRARIES "/" + file).c_str(), RTLD_NOW | RTLD_NOLOAD);
    if (library == nullptr) fail("another {} was loaded", file);
    calls_ = reinterpret_cast<int (*)()>(dlsym(library, "fake_calls"));
    set_version_ = reinterpret_cast<void (*)(std::size_t)>(dlsym(library, "fake_set_version"));
  }
  // Convolutions or products asked for since the program began.
  int calls() const { return calls_(); }
  void set_version(std::size_t version) const { set_version_(version); }

 private:
  int (*calls_)() = nullptr;
  void (*set_version_)(std::size_t) = nullptr;
};

inline const FloatBaseline& float_baseline(const std::string& name) {
  for (const FloatBaseline& row : float_baselines()) {
    if (row.name == name) return row;
  }
  fail("no baseline {}", name);
}

}  // namespace gpueval::cuda
