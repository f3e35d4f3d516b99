// SPDX-License-Identifier: Apache-2.0
// The self-test of the devices cuda and emu: every kernel of our own is compared with slow reference loops, bit for
// bit, on small shapes. What fails is remembered by GPU, driver and build, and never chosen after that. The kernels run
// in a process of their own, which is started again behind one that crashes or hangs.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace gpueval {

struct SelftestRow {
  std::string name;     // a kernel ("conv_s8_dp4a_split") or an operation ("max_pool")
  int shapes = 0;       // problems that were compared
  double ms = 0;        // all of them, with the reference's time
  std::string failure;  // empty: equal; else a sentence: shape, first difference, expected, found, or how it ended
};

struct SelftestResult {
  std::string device, driver;  // "NVIDIA H200", "13.0"; of emu "emulator", ""
  std::vector<SelftestRow> rows;
  std::vector<std::string> notes;  // whole sentences: what could not be remembered, and why
  std::size_t failed() const;
};

struct SelftestOptions {
  std::string device;                // "cuda" or "emu"
  std::vector<std::string> kernels;  // of selftest_kernels()
  // Program and arguments of the process that tests: it calls serve_selftest() and writes the lines to its standard
  // output. The kernels, with commas between, are added as the last argument.
  std::vector<std::string> command;
  std::chrono::milliseconds kernel_limit{20'000}, start_limit{120'000};  // of one kernel; until the first one begins
  std::function<void(const std::string& kernel)> begins;                 // may be empty
};

// What it tests: the kernels that the device can run, then the operations. Throws Error (kDevice) where the device
// is not usable, naming why; usage error for a device without a self-test.
std::vector<std::string> selftest_kernels(const std::string& device);
// Of these, those whose names hold the regular expression. Usage error for one that is none, or that finds nothing.
std::vector<std::string> selftest_kernels(const std::string& device, const std::string& pattern);
// Those that were not tested yet on this GPU with this driver and build.
std::vector<std::string> untested_kernels(const std::string& device);

// Tests and remembers. Throws Error where the process cannot even begin, Interrupted (core/stop_signal.h) after a
// signal.
SelftestResult run_selftest(const SelftestOptions& options);

// In the process that tests: say() gets each line. Returns early once the device is lost, as after an illegal address.
void serve_selftest(const std::string& device, const std::vector<std::string>& kernels,
                    const std::function<void(const std::string& line)>& say);

}  // namespace gpueval
