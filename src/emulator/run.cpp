// SPDX-License-Identifier: Apache-2.0
#include <omp.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <memory>
#include <mutex>
#include <numeric>

#include "core/random.h"
#include "core/stop_signal.h"
#include "emulator/emulator.h"
#include "emulator/machine.h"
#include "emulator/run.h"
#include "gpueval/error.h"

namespace gpueval::emulator {
namespace {

Options process_options;

Machine& machine_of_this_thread() {
  static thread_local const auto machine = std::make_unique<Machine>();
  return *machine;
}

// Stacks stay mapped, two mappings each, and a process may have about 65,000 of them.
int host_threads(unsigned threads_per_block) {
  return std::min(omp_get_max_threads(), static_cast<int>(std::max(1u, 8192u / threads_per_block)));
}

}  // namespace

void check_launch(const Launch& launch) {
  const Dim3& b = launch.block;
  const std::uint64_t threads = std::uint64_t{b.x} * b.y * b.z;
  if (threads == 0 || threads > 1024) {
    fail("kernel '{}': a block has 1 to 1024 threads, asked for {} x {} x {}", launch.kernel, b.x, b.y, b.z);
  }
  const Dim3& g = launch.grid;
  if (g.x == 0 || g.y == 0 || g.z == 0 || g.x > 0x7fffffffu || g.y > 65535 || g.z > 65535) {
    fail("kernel '{}': a grid has 1 to 2147483647 x 65535 x 65535 blocks, asked for {} x {} x {}", launch.kernel, g.x,
         g.y, g.z);
  }
}

namespace {

// The i-th block to run. Blocks are independent, so their order must not matter either.
class BlockOrder {
 public:
  BlockOrder(const Options& options, std::uint64_t blocks) : blocks_(blocks) {
    if (options.schedule == Schedule::kDescending) first_ = step_ = blocks - 1;
    if (options.schedule == Schedule::kRandom) {
      Random random(options.seed);
      first_ = random.next() % blocks;
      step_ = random.next() % blocks;
      while (std::gcd(step_, blocks) != 1) step_ = (step_ + 1) % blocks;
    }
  }
  std::uint64_t operator()(std::int64_t i) const {  // fewer than 2^63 blocks in all; the products may need 128 bits
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::uint64_t>((first_ + static_cast<Wide>(i) * step_) % blocks_);
  }

 private:
  std::uint64_t blocks_, first_ = 0, step_ = 1;
};

void run_blocks(const Launch& launch, std::int64_t blocks, std::span<const std::uint64_t> done) {
  const BlockOrder order(launch.options, static_cast<std::uint64_t>(blocks));
  std::atomic<bool> failed = false;
  std::exception_ptr error;
  std::mutex guard;
  const int hosts = host_threads(launch.block.x * launch.block.y * launch.block.z);
  const std::int64_t chunk = std::clamp<std::int64_t>(blocks / (8 * hosts), 1, 64);
#pragma omp parallel for schedule(dynamic, chunk) num_threads(hosts)
  for (std::int64_t i = 0; i < blocks; ++i) {
    if (failed.load(std::memory_order_relaxed)) continue;
    if (std::find(done.begin(), done.end(), order(i)) != done.end()) continue;
    try {
      stop_point();
      machine_of_this_thread().run_block(launch, order(i));
    } catch (...) {
      failed = true;
      const std::lock_guard lock(guard);
      if (error == nullptr) error = std::current_exception();
    }
  }
  if (error != nullptr) std::rethrow_exception(error);
}

}  // namespace

void set_options(const Options& options) { process_options = options; }
Options options() { return process_options; }

void run(const Launch& launch, std::span<const std::uint64_t> done) {
  if (device::context != nullptr) fail("kernel '{}': launched by a kernel", launch.kernel);
  check_launch(launch);
  const auto blocks = static_cast<std::int64_t>(launch.blocks());
  if (blocks > 1) {
    run_blocks(launch, blocks, done);
  } else if (done.empty()) {
    machine_of_this_thread().run_block(launch, 0);
  }
}

void run(const char* kernel, Dim3 grid, Dim3 block, std::size_t shared_bytes, const std::function<void()>& body) {
  run({.kernel = kernel,
       .grid = grid,
       .block = block,
       .shared_bytes = shared_bytes,
       .body = &body,
       .options = options()});
}

}  // namespace gpueval::emulator
