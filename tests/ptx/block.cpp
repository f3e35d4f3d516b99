// SPDX-License-Identifier: Apache-2.0
#include "ptx/block.h"

#include <algorithm>

namespace gpueval::ptx {
namespace {

// Of one warp between two barriers; no kernel here needs a hundredth of it.
constexpr std::uint64_t kMostInstructions = std::uint64_t{1} << 27;

}  // namespace

void BlockRunner::prepare(Launch& launch) {
  const Kernel& kernel = *launch.kernel;
  const std::size_t count = (launch.threads + kLanes - 1) / kLanes;
  if (prepared_ == kernel.serial && warps_.size() == count) return;
  prepared_ = kernel.serial;
  warps_.resize(count);
  states_.resize(count);
  const std::size_t words = kernel.register_bytes / sizeof(std::uint64_t);
  registers_.assign(words * count, 0xa5a5a5a5a5a5a5a5u);
  predicates_.assign(kernel.predicates * count, 0);
  for (std::size_t w = 0; w < count; ++w) {
    Warp& warp = warps_[w];
    warp.kernel = &kernel;
    warp.number = static_cast<unsigned>(w);
    warp.attach(reinterpret_cast<std::byte*>(registers_.data() + words * w),
                predicates_.data() + kernel.predicates * w);
    for (const Kernel::Constant& constant : kernel.constants) {
      if (constant.bits == 64) {
        std::fill_n(warp.row<std::uint64_t>(constant.row), kLanes, constant.value);
      } else {
        std::fill_n(warp.row<std::uint32_t>(constant.row), kLanes, static_cast<std::uint32_t>(constant.value));
      }
    }
  }
}

void BlockRunner::fill_specials(Warp& warp) {
  for (const Kernel::SpecialRow& special : launch_->kernel->specials) {
    auto* const row = warp.row<std::uint32_t>(special.row);
    const auto axis = static_cast<std::size_t>(special.axis);
    for (unsigned lane = 0; lane < kLanes; ++lane) {
      switch (special.what) {
        case Special::kThread:
          row[lane] = axis == 0 ? warp.number * kLanes + lane : 0;
          break;
        case Special::kBlock:
          row[lane] = warp.block[axis];
          break;
        case Special::kThreads:
          row[lane] = axis == 0 ? launch_->threads : 1;
          break;
        case Special::kBlocks:
          row[lane] = launch_->blocks[axis];
          break;
        case Special::kLane:
          row[lane] = lane;
          break;
      }
    }
  }
}

void BlockRunner::branch(const Instruction& i, std::uint32_t taken, State& state) {
  Path& path = state.paths.back();
  const std::uint32_t next = path.at + 1, others = path.lanes & ~taken;
  if (taken == 0 || others == 0) {
    path.at = taken == 0 ? next : i.target;
    return;
  }
  if (i.reconverge == path.until) {
    state.paths.pop_back();  // they meet where this path ends anyway
  } else {
    path.at = i.reconverge;
  }
  const std::uint32_t target = i.target, until = i.reconverge;
  state.paths.push_back({.at = next, .until = until, .lanes = others});
  state.paths.push_back({.at = target, .until = until, .lanes = taken});
}

void BlockRunner::leave(Warp& warp, State& state) {
  warp.each_lane([&](unsigned lane) {
    if (warp.has_copies(lane)) warp.fail_here("returned with asynchronous copies that no wait has covered");
  });
  warp.alive &= ~warp.active;
  for (Path& path : state.paths) path.lanes &= ~warp.active;
}

void BlockRunner::advance(Warp& warp, State& state) {
  const std::vector<Instruction>& code = launch_->kernel->code;
  std::uint64_t executed = 0;
  while (!state.paths.empty()) {
    Path& path = state.paths.back();
    if (path.lanes == 0 || path.at == path.until) {
      state.paths.pop_back();
      continue;
    }
    const Instruction& i = code.at(path.at);
    warp.now = &i;
    if (++executed > kMostInstructions) warp.fail_here("no end");
    std::uint32_t guard = kAllLanes;
    if (i.guard != kNone) guard = i.negated ? ~warp.predicate(i.guard) : warp.predicate(i.guard);
    warp.active = path.lanes & guard;
    switch (i.flow) {
      case Flow::kNext:
        if (warp.active != 0) i.execute(warp, i);
        ++path.at;
        break;
      case Flow::kBranch: {
        const bool back = warp.active != 0 && i.target <= path.at;
        branch(i, warp.active, state);
        if (back && warp.stalled) return;
        break;
      }
      case Flow::kExit:
        ++path.at;
        leave(warp, state);
        break;
      case Flow::kBarrier:
        if (warp.active == 0) {
          ++path.at;
          break;
        }
        if (warp.active != warp.alive) warp.fail_here("only a part of the warp is at the barrier: diverged");
        ++path.at;
        state.at_barrier = true;
        state.barrier = i.statement;
        state.barrier_number = static_cast<std::uint32_t>(i.number);
        state.barrier_threads = i.row[0] == kNone ? 0 : warp.row<std::uint32_t>(i.row[0])[0];
        return;
    }
  }
}

// Every warp that can go on, up to where it waits; false: there is none.
bool BlockRunner::advance_all() {
  bool any = false;
  for (std::size_t i = 0; i < warps_.size(); ++i) {
    const std::size_t w = launch_->descending ? warps_.size() - 1 - i : i;
    State& state = states_[w];
    if (state.paths.empty() || state.at_barrier || state.stalled_at == stages_.events()) continue;
    any = true;
    warps_[w].stalled = false;
    advance(warps_[w], state);
    state.stalled_at = warps_[w].stalled ? stages_.events() : kRuns;
  }
  return any;
}

bool BlockRunner::release_barrier(std::uint32_t number) {
  const State* first = nullptr;
  std::uint32_t arrived = 0, running = 0;
  for (std::size_t w = 0; w < states_.size(); ++w) {
    const State& state = states_[w];
    running += state.paths.empty() ? 0 : kLanes;
    if (!state.at_barrier || state.barrier_number != number) continue;
    arrived += kLanes;
    if (first != nullptr && (state.barrier != first->barrier || state.barrier_threads != first->barrier_threads)) {
      warps_[w].fail_here("warps at different barriers");
    }
    first = &state;
  }
  if (first != nullptr && first->barrier_threads != 0 && arrived > first->barrier_threads) {
    warps_[static_cast<std::size_t>(first - states_.data())].fail_here("more threads at a barrier than it counts");
  }
  if (first == nullptr || arrived < (first->barrier_threads == 0 ? running : first->barrier_threads)) return false;
  for (State& state : states_) state.at_barrier = state.at_barrier && state.barrier_number != number;
  return true;
}

bool BlockRunner::release_barriers() {
  bool any = false;
  for (std::uint32_t number = 0; number < 16; ++number) any = release_barrier(number) || any;
  return any;
}

void BlockRunner::check_end() {
  for (std::size_t w = 0; w < warps_.size(); ++w) {
    const State& state = states_[w];
    if (state.paths.empty()) continue;
    warps_[w].fail_here(state.at_barrier ? "a deadlock: waits at a barrier" : "a deadlock: waits for an mbarrier");
  }
  if (const std::string fault = stages_.left_over(); !fault.empty()) warps_[0].fail_here(fault);
}

void BlockRunner::run(Launch& launch, std::uint64_t block) {
  launch_ = &launch;
  prepare(launch);
  stages_.start(warps_, launch.late_copies, launch.descending);
  shared_.assign((launch.shared_bytes + 7) / 8, 0xa5a5a5a5a5a5a5a5u + block);
  for (std::size_t w = 0; w < warps_.size(); ++w) {
    Warp& warp = warps_[w];
    warp.block[0] = static_cast<std::uint32_t>(block % launch.blocks[0]);
    warp.block[1] = static_cast<std::uint32_t>(block / launch.blocks[0] % launch.blocks[1]);
    warp.block[2] = static_cast<std::uint32_t>(block / launch.blocks[0] / launch.blocks[1]);
    const std::uint32_t left = launch.threads - static_cast<std::uint32_t>(w) * kLanes;
    warp.alive = left >= kLanes ? kAllLanes : (1u << left) - 1;
    warp.shared_memory = reinterpret_cast<std::byte*>(shared_.data());
    warp.shared_bytes = launch.shared_bytes;
    warp.parameters = launch.parameters.data();
    warp.late_copies = launch.late_copies;
    warp.clear_copies();
    warp.stages = &stages_;
    warp.stalled = warp.filling = false;
    warp.product_reads.clear();
    warp.product_groups.clear();
    fill_specials(warp);
    states_[w] = {.paths = {{.at = 0, .until = kNone, .lanes = warp.alive}}};
  }
  while (advance_all() || release_barriers() || stages_.deliver()) {
  }
  check_end();
}

}  // namespace gpueval::ptx
