// SPDX-License-Identifier: Apache-2.0
#include "emulator/machine.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <utility>

#include "gpueval/error.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace gpueval::emulator {
namespace device {
constinit thread_local Context* context = nullptr;
}

namespace {

constexpr std::size_t kArenaAlignment = 1024;

}  // namespace

Machine::~Machine() {
#if defined(__SANITIZE_ADDRESS__)
  if (memory_ != nullptr) ASAN_UNPOISON_MEMORY_REGION(memory_, memory_bytes_);
#endif
  std::free(memory_);
}

void Machine::run_block(const Launch& launch, std::uint64_t linear_block) {
  prepare(launch, linear_block);
  run_picked();
}

void Machine::begin_block(const Launch& launch, std::uint64_t linear_block) {
  holds_ = true;
  run_block(launch, linear_block);
}

void Machine::finish_block() {
  holds_ = false;
  held_ = 0;
  for (unsigned w = 0; w < warp_count_; ++w) warps_[w].ready |= std::exchange(warps_[w].held, 0);
  woken_ = true;
  start_over();
  run_picked();
}

void Machine::run_picked() {
  device::context = this;
  try {
    if (pick()) resume(host_);
  } catch (...) {
    error_ = std::current_exception();
  }
  device::context = nullptr;
  if (error_ != nullptr) {
    reset();
    std::rethrow_exception(std::exchange(error_, nullptr));
  }
}

void Machine::prepare(const Launch& launch, std::uint64_t linear_block) {
  launch_ = &launch;
  grid = launch.grid;
  block = {static_cast<unsigned>(linear_block % grid.x), static_cast<unsigned>(linear_block / grid.x % grid.y),
           static_cast<unsigned>(linear_block / grid.x / grid.y)};
  if (thread_count_ == 0 || !(block_size == launch.block)) {
    block_size = launch.block;
    thread_count_ = block_size.x * block_size.y * block_size.z;
    warp_count_ = (thread_count_ + kWarp - 1) / kWarp;
    if (threads_.size() < thread_count_) threads_.resize(thread_count_);
    if (warps_.size() < warp_count_) warps_.resize(warp_count_);
    order_.resize(warp_count_);
    for (unsigned i = 0; i < thread_count_; ++i) {
      threads_[i].index = {i % block_size.x, i / block_size.x % block_size.y, i / block_size.x / block_size.y};
    }
  }
  for (unsigned w = 0; w < warp_count_; ++w) {
    const unsigned lanes = std::min(kWarp, thread_count_ - w * kWarp);
    warps_[w].alive = warps_[w].ready = lanes == kWarp ? ~0u : (1u << lanes) - 1;
    warps_[w].barrier = 0;
    warps_[w].held = 0;
    warps_[w].waiting = 0;
    std::fill_n(warps_[w].named, kNamedBarriers, 0u);
    warps_[w].meetings = 0;
    warps_[w].wgmma.clear();
  }
  for (unsigned i = 0; i < thread_count_; ++i) {
    threads_[i].proxy_fences = 1;
    threads_[i].waited = false;
  }
  issued_.resize(warpgroups());
  for (auto& products : issued_) products.clear();
  alive_ = thread_count_;
  at_barrier_ = held_ = 0;
  std::fill_n(named_, kNamedBarriers, NamedBarrier{});
  mbarriers_.clear();
  under_way_.clear();
  woken_ = false;
  random_ = Random(launch.options.seed + Random(linear_block).next());
  order_warps();
  make_arena(launch.shared_bytes);
}

// Exactly as many bytes as asked for, filled with seeded ones: nothing of the block before can be seen.
void Machine::make_arena(std::size_t bytes) {
  const std::size_t needed = (bytes / kArenaAlignment + 2) * kArenaAlignment;
#if defined(__SANITIZE_ADDRESS__)
  if (memory_ != nullptr) ASAN_UNPOISON_MEMORY_REGION(memory_, memory_bytes_);
#endif
  if (needed > memory_bytes_) {
    std::free(memory_);
    memory_ = static_cast<std::byte*>(std::aligned_alloc(kArenaAlignment, needed));
    memory_bytes_ = memory_ != nullptr ? needed : 0;
    if (memory_ == nullptr) fail("kernel '{}': no memory for {} bytes of shared memory", launch_->kernel, bytes);
  }
  arena = memory_;
  arena_bytes = bytes;
  writers_of_arena_.assign(bytes / 16 + 1, 0);
  writers = writers_of_arena_.data();
  const std::uint64_t start = random_.next();
  for (std::size_t at = 0; at < bytes; at += 8) {  // the allocation is a multiple of 8
    const std::uint64_t word = (start + at) * 0x9e3779b97f4a7c15u;
    std::memcpy(memory_ + at, &word, 8);
  }
#if defined(__SANITIZE_ADDRESS__)
  ASAN_POISON_MEMORY_REGION(memory_ + bytes, memory_bytes_ - bytes);
#endif
}

void Machine::order_warps() {
  std::iota(order_.begin(), order_.end(), 0u);
  if (launch_->options.schedule == Schedule::kDescending) std::reverse(order_.begin(), order_.end());
  if (launch_->options.schedule == Schedule::kRandom) {
    for (unsigned i = warp_count_; i > 1; --i) {
      std::swap(order_[i - 1], order_[random_.next() % i]);
    }
  }
  position_ = 0;
  warp_ = &warps_[order_[0]];
}

unsigned Machine::choose(unsigned lanes) {
  switch (launch_->options.schedule) {
    case Schedule::kAscending:
      return static_cast<unsigned>(std::countr_zero(lanes));
    case Schedule::kDescending:
      return 31u - static_cast<unsigned>(std::countl_zero(lanes));
    case Schedule::kRandom:
      break;
  }
  const auto first = static_cast<int>(random_.next() % kWarp);
  return (static_cast<unsigned>(std::countr_zero(std::rotr(lanes, first))) + static_cast<unsigned>(first)) % kWarp;
}

void Machine::become(unsigned lane) {
  lane_ = lane;
  warp_->ready &= ~(1u << lane);
  running_ = &threads_[order_[position_] * kWarp + lane];
  thread = &running_->index;
  note_writer();
}

void Machine::note_writer() { writer = linear(*warp_, lane_) << kFenceBits | running_->proxy_fences; }

void Machine::fence_async_proxy() {
  ++running_->proxy_fences;
  note_writer();
}

bool Machine::sees_async_proxy(std::uint32_t chunk) const {
  const std::uint32_t fences = writers[chunk] & ((1u << kFenceBits) - 1);
  return fences == 0 || fences < threads_[writers[chunk] >> kFenceBits].proxy_fences;
}

bool Machine::pick() {
  for (;;) {
    if (warp_->ready != 0) {
      become(choose(warp_->ready));
      return true;
    }
    if (position_ + 1 < warp_count_) {
      warp_ = &warps_[order_[++position_]];
    } else if (alive_ == 0) {
      check_warpgroups();
      check_bulk_copies();
      return false;
    } else if (!start_over() && !release_barrier() && !deliver()) {
      if (held_ > 0) return false;
      fail_deadlock();
    }
  }
}

bool Machine::release_barrier() {
  if (at_barrier_ != alive_) return false;
  for (unsigned w = 0; w < warp_count_; ++w) {
    warps_[w].ready = warps_[w].barrier;
    warps_[w].barrier = 0;
  }
  at_barrier_ = 0;
  woken_ = true;
  return start_over();
}

// The warps' turns begin anew, where threads wait that can go on.
bool Machine::start_over() {
  if (!woken_) return false;
  woken_ = false;
  if (launch_->options.schedule == Schedule::kRandom) {
    order_warps();
  } else {
    position_ = 0;
    warp_ = &warps_[order_[0]];
  }
  return true;
}

void Machine::wait_here() {
  Fiber& own = *running_->fiber;
  if (pick()) {
    resume(own);
  } else {
    Fiber::change(own, host_);
  }
}

Fiber& Machine::fiber_for_new_thread() {
  if (idle_.empty()) {
    fibers_.push_back(std::make_unique<Fiber>(&Machine::worker, this, static_cast<unsigned>(fibers_.size())));
    return *fibers_.back();
  }
  Fiber& fiber = *idle_.back();
  idle_.pop_back();
  return fiber;
}

// Continues with the running thread on its own fiber; returns when somebody comes back to `from`.
void Machine::resume(Fiber& from) {
  if (running_->fiber == nullptr) running_->fiber = &fiber_for_new_thread();
  if (running_->fiber == &from) return;
  now_ = running_->fiber;
  Fiber::change(from, *now_);
}

void Machine::worker(void* self) { static_cast<Machine*>(self)->work(); }

// A fiber's life: threads, one after another, and sleep while another fiber's thread runs.
void Machine::work() {
  Fiber& own = *now_;
  for (;;) {
    bool more = false;
    try {
      run_thread();
      more = pick();
    } catch (...) {
      error_ = std::current_exception();
    }
    if (more && running_->fiber == nullptr) {
      running_->fiber = &own;
      continue;
    }
    idle_.push_back(&own);
    if (more) {
      resume(own);
    } else {
      Fiber::change(own, host_);
    }
  }
}

void Machine::run_thread() {
  (*launch_->body)();
  leave_thread();
}

void Machine::leave_thread() {
  EmulatedThread& t = *running_;
  if (!t.copies.empty()) {
    fail_here(fmt::format("returned with {} asynchronous copies that no cp.async wait covered", t.copies.open()));
  }
  if (launch_->waits && !t.waited) fail_here("returned and had not waited for the kernel in front");
  t.copies.clear();
  t.fiber = nullptr;
  Warp& warp = *warp_;
  if (!warp.wgmma.empty()) fail_here("returned with wgmma that no wait covered");
  warp.alive &= ~(1u << lane_);
  --alive_;
  for (int i = warp.meetings - 1; i >= 0; --i) {  // lanes that have returned do not count
    const Meeting& meeting = warp.meeting[i];
    if (meeting.arrived == (meeting.mask & warp.alive)) complete(warp, i);
  }
}

void Machine::arrive_at_barrier(const char* file, unsigned line) {
  const unsigned me = linear(*warp_, lane_);
  if (at_barrier_ == 0) {
    barrier_file_ = file;
    barrier_line_ = line;
    barrier_thread_ = me;
  } else if (line != barrier_line_ || (file != barrier_file_ && std::strcmp(file, barrier_file_) != 0)) {
    fail_here(fmt::format("divergent barrier: waits at {}:{} while thread {} waits at {}:{}", file, line,
                          where(barrier_thread_), barrier_file_, barrier_line_));
  }
  ++at_barrier_;
  warp_->barrier |= 1u << lane_;
  wait_here();
}

void Machine::wait_for_previous_kernel() {
  running_->waited = true;
  if (!holds_) return;
  ++held_;
  warp_->held |= 1u << lane_;
  wait_here();
}

void Machine::arrive_at_named_barrier(unsigned id, unsigned threads, const char* file, unsigned line) {
  const unsigned me = linear(*warp_, lane_);
  if (id >= kNamedBarriers || threads == 0 || threads % kWarp != 0 || threads > thread_count_) {
    fail_here(fmt::format("barrier {} of {} threads: there are {}, and warps are whole", id, threads, kNamedBarriers));
  }
  NamedBarrier& barrier = named_[id];
  if (barrier.arrived == 0) barrier = {.threads = threads, .first_thread = me, .line = line, .file = file};
  if (threads != barrier.threads || line != barrier.line || std::strcmp(file, barrier.file) != 0) {
    fail_here(fmt::format("divergent barrier {}: waits at {}:{} with {} threads while thread {} waits at {}:{} with {}",
                          id, file, line, threads, where(barrier.first_thread), barrier.file, barrier.line,
                          barrier.threads));
  }
  warp_->named[id] |= 1u << lane_;
  if (++barrier.arrived == threads) {
    for (unsigned w = 0; w < warp_count_; ++w) {
      warps_[w].ready |= warps_[w].named[id];
      warps_[w].named[id] = 0;
    }
    barrier.arrived = 0;
    woken_ = true;
  }
  wait_here();
}

void Machine::wait_for_mbarrier(std::uint32_t barrier, unsigned parity, const char* file, unsigned line) {
  while (!mbarriers_.find(*this, barrier).is_over(parity)) {
    running_->awaited = barrier;
    running_->awaited_parity = parity;
    running_->file = file;
    running_->line = line;
    warp_->waiting |= 1u << lane_;
    wait_here();
  }
}

void Machine::wake(std::uint32_t barrier) {
  for (unsigned w = 0; w < warp_count_; ++w) {
    for (unsigned left = warps_[w].waiting; left != 0; left &= left - 1) {
      const auto lane = static_cast<unsigned>(std::countr_zero(left));
      if (threads_[w * kWarp + lane].awaited != barrier) continue;
      warps_[w].waiting &= ~(1u << lane);
      warps_[w].ready |= 1u << lane;
      woken_ = true;
    }
  }
}

void Machine::meet(unsigned mask, WarpOp op, Finish finish) {
  Warp& warp = *warp_;
  const unsigned bit = 1u << lane_;
  if ((mask & bit) == 0) fail_meeting(mask, op, nullptr);
  int i = 0;
  for (; i < warp.meetings; ++i) {
    const Meeting& other = warp.meeting[i];
    if (other.mask == mask && other.op == op) break;
    if ((other.mask & bit) != 0 && (other.arrived & mask) != 0) fail_meeting(mask, op, &other);  // each for the other
  }
  if (i == warp.meetings) warp.meeting[warp.meetings++] = {.mask = mask, .arrived = 0, .op = op, .finish = finish};
  Meeting& meeting = warp.meeting[i];
  meeting.arrived |= bit;
  if (meeting.arrived == (mask & warp.alive)) {
    complete(warp, i);
    warp.ready &= ~bit;  // the last one goes on at once
    return;
  }
  wait_here();
}

void Machine::complete(Warp& warp, int meeting) {
  const Meeting done = warp.meeting[meeting];
  warp.meeting[meeting] = warp.meeting[--warp.meetings];
  if (done.finish != nullptr) done.finish(*this, warp, done.arrived);
  warp.ready |= done.arrived;
}

unsigned Machine::linear(const Warp& warp, unsigned lane) const { return number(warp) * kWarp + lane; }

// After an error: no thread goes on, their stacks are given up.
void Machine::reset() {
  for (EmulatedThread& t : threads_) {
    t.fiber = nullptr;
    t.copies.clear();
  }
  idle_.clear();
  fibers_.clear();
}

}  // namespace gpueval::emulator
