// SPDX-License-Identifier: Apache-2.0
// A kernel that begins before the one in front of it has ended (cuda/prim/previous_kernel.h), as early as may be: some
// of its blocks run up to where they wait, then the kernel in front, then the rest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "emulator/emulator.h"

namespace gpueval::emulator {

class Machine;
struct Launch;

class EarlyKernel {
 public:
  EarlyKernel(std::string name, Dim3 grid, Dim3 block, std::size_t shared_bytes, std::function<void()> body);
  ~EarlyKernel();
  EarlyKernel(const EarlyKernel&) = delete;
  EarlyKernel& operator=(const EarlyKernel&) = delete;

  void begin();   // the first block and the last
  void finish();  // without begin(): all of it. Error naming a thread that returned and had not waited

 private:
  std::string name_;
  std::function<void()> body_;
  std::unique_ptr<Launch> launch_;
  std::vector<std::pair<std::uint64_t, std::unique_ptr<Machine>>> begun_;  // blocks, and where they stand
};

}  // namespace gpueval::emulator
