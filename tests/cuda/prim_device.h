// SPDX-License-Identifier: Apache-2.0
// Golden tests of the hardware wrappers in cuda/prim/: what the probes give on the emulator and on a GPU (there
// skipped, with the reason, where there is none) against plain loops written from the PTX ISA.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "core/random.h"
#include "cuda/prim/probe/probes.h"
#include "cuda/runtime/runtime.h"
#include "emulator/emulator.h"
#include "support/runtimes.h"

namespace gpueval::cuda {

using Words = std::vector<std::uint32_t>;

class PrimTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    std::string why;
    runtime_ = std::strcmp(GetParam(), "emu") == 0 ? &emu_runtime() : gpu_runtime(&why);
    if (runtime_ == nullptr) GTEST_SKIP() << why;
  }
  void TearDown() override { emulator::set_options({}); }

  // The emulator's orders of execution; a GPU has its own.
  std::vector<emulator::Options> orders() const {
    if (std::strcmp(GetParam(), "emu") != 0) return {{}};
    using emulator::Schedule;
    std::vector<emulator::Options> all;
    for (const bool late : {true, false}) {
      for (const Schedule s : {Schedule::kAscending, Schedule::kDescending, Schedule::kRandom}) {
        all.push_back({.schedule = s, .late_copies = late, .seed = 11});
      }
    }
    return all;
  }

  void require_sm(int sm) {
    if (runtime_->properties().sm < sm) GTEST_SKIP() << "needs compute capability x 10 of " << sm;
  }

  const Probes& all() const { return probes(*runtime_); }

  // Runs the probe on copies of the inputs; out: zero before.
  Words run(Probe probe, int n, std::size_t out_words, const Words& a, const Words& b = {}, const Words& c = {}) {
    const DeviceBuffer da = upload(a), db = upload(b), dc = upload(c);
    const DeviceBuffer out(*runtime_, out_words * 4);
    const Stream stream = runtime_->make_stream();
    runtime_->fill(out.data(), 0, out_words * 4, stream);
    probe({.a = da.data(), .b = db.data(), .c = dc.data(), .out = out.data(), .n = n}, stream);
    Words result(out_words);
    runtime_->copy_to_host(result.data(), out.data(), out_words * 4, stream);
    runtime_->synchronize(stream);
    runtime_->destroy(stream);
    return result;
  }

  Runtime* runtime_ = nullptr;

 private:
  DeviceBuffer upload(const Words& words) {
    DeviceBuffer buffer(*runtime_, words.size() * 4 + 4);
    if (!words.empty()) runtime_->copy_to_device(buffer.data(), words.data(), words.size() * 4, {});
    runtime_->synchronize(Stream{});
    return buffer;
  }
};

inline Words random_words(std::size_t count, std::uint64_t seed) {
  Random random(seed);
  Words words(count);
  for (std::uint32_t& w : words) w = static_cast<std::uint32_t>(random.next() >> 20);
  return words;
}

inline int signed_byte(std::uint32_t word, int i) { return static_cast<std::int8_t>(word >> 8 * i); }
inline int byte_of(std::uint32_t word, int i, bool is_unsigned) {
  return is_unsigned ? static_cast<std::uint8_t>(word >> 8 * i) : signed_byte(word, i);
}

inline std::string device_name(const testing::TestParamInfo<const char*>& device) { return device.param; }

}  // namespace gpueval::cuda
