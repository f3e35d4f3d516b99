// SPDX-License-Identifier: Apache-2.0
#include "emulator/early_kernel.h"

#include "emulator/machine.h"
#include "emulator/run.h"

namespace gpueval::emulator {

EarlyKernel::EarlyKernel(std::string name, Dim3 grid, Dim3 block, std::size_t shared_bytes, std::function<void()> body)
    : name_(std::move(name)), body_(std::move(body)), launch_(std::make_unique<Launch>()) {
  *launch_ = {.kernel = name_.c_str(),
              .grid = grid,
              .block = block,
              .shared_bytes = shared_bytes,
              .body = &body_,
              .options = {},
              .waits = true};
}

EarlyKernel::~EarlyKernel() = default;

void EarlyKernel::begin() {
  begun_.clear();
  launch_->options = options();
  check_launch(*launch_);
  std::vector<std::uint64_t> blocks{0};
  if (const std::uint64_t last = launch_->blocks() - 1; last > 0) blocks.push_back(last);
  for (const std::uint64_t block : blocks) {
    auto machine = std::make_unique<Machine>();
    machine->begin_block(*launch_, block);
    begun_.emplace_back(block, std::move(machine));
  }
}

void EarlyKernel::finish() {
  launch_->options = options();
  const auto begun = std::exchange(begun_, {});
  std::vector<std::uint64_t> done;
  for (const auto& [block, machine] : begun) {
    machine->finish_block();
    done.push_back(block);
  }
  run(*launch_, done);
}

}  // namespace gpueval::emulator
