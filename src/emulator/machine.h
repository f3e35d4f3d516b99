// SPDX-License-Identifier: Apache-2.0
// One host thread's emulated multiprocessor: runs the blocks of a grid one after another. Threads start on demand on
// pooled fibers; a thread that returns hands its fiber to the next one, so kernels without barriers never switch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/random.h"
#include "emulator/bulk_copy.h"
#include "emulator/copies.h"
#include "emulator/device.h"
#include "emulator/emulator.h"
#include "emulator/fiber.h"
#include "emulator/mbarrier.h"
#include "emulator/wgmma.h"

namespace gpueval::emulator {

enum class WarpOp : std::uint8_t {
  kBarrier,
  kShuffleXor,
  kShuffle,
  kBallot,
  kLdmatrix,
  kMma16832,
  kMma16832Unsigned,
  kMma8816,
  kMma8816Unsigned,
  kWgmmaFence,
  kWgmma,
  kWgmmaCommit,
  kWgmmaWait
};

struct EmulatedThread {
  Dim3 index;
  Fiber* fiber = nullptr;  // null: not started yet, or returned
  Copies copies;
  std::uint32_t proxy_fences = 0;
  bool waited = false;  // for the kernel in front
  // While it waits for an mbarrier.
  std::uint32_t awaited = 0;
  unsigned awaited_parity = 0;
  const char* file = nullptr;
  unsigned line = 0;
};

// bar.sync with a number of threads.
struct NamedBarrier {
  unsigned threads = 0, arrived = 0, first_thread = 0, line = 0;
  const char* file = nullptr;
};

inline constexpr unsigned kNamedBarriers = 16;

class Machine;
struct Warp;
using Finish = void (*)(Machine& machine, Warp& warp, unsigned lanes);

// Lanes of a mask that meet in a collective. Groups of one warp have disjoint masks.
struct Meeting {
  unsigned mask = 0, arrived = 0;
  WarpOp op = WarpOp::kBarrier;
  Finish finish = nullptr;
};

struct Warp {
  unsigned alive = 0;                   // lanes that have not returned
  unsigned ready = 0;                   // lanes that can run
  unsigned barrier = 0;                 // lanes at the block barrier
  unsigned waiting = 0;                 // lanes that wait for an mbarrier
  unsigned named[kNamedBarriers] = {};  // lanes at those
  unsigned held = 0;                    // lanes that wait for the kernel in front
  int meetings = 0;                     // collectives some lanes wait in
  Meeting meeting[kWarp];
  // Operands and results, [word][lane]: the results of a meeting stay until its lanes have read them, for no lane of
  // the mask can complete another meeting before.
  alignas(64) std::uint32_t in[7][kWarp];
  alignas(64) std::uint32_t out[4][kWarp];
  alignas(64) std::uint32_t sums[2][8][8];  // mma: accumulators of rows 0..7 and 8..15
  WgmmaQueue wgmma;
};

struct Launch {
  const char* kernel = "";
  Dim3 grid, block;
  std::size_t shared_bytes = 0;
  const std::function<void()>* body = nullptr;
  Options options;
  bool waits = false;  // every thread has to wait for the kernel in front

  std::uint64_t blocks() const { return std::uint64_t{grid.x} * grid.y * grid.z; }
};

class Machine : public device::Context {
 public:
  Machine() = default;
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  // Runs one block to its end, or throws what its threads threw or the scheduler found.
  void run_block(const Launch& launch, std::uint64_t linear_block);
  // The same in two halves: threads stop where they wait for the kernel in front, until the second one.
  void begin_block(const Launch& launch, std::uint64_t linear_block);
  void finish_block();

  // ---- for the operations of a running thread (device.h)
  static Machine& current() { return static_cast<Machine&>(*device::context); }
  EmulatedThread& thread_now() { return *running_; }
  Warp& warp_now() { return *warp_; }
  unsigned lane_now() const { return lane_; }
  void arrive_at_barrier(const char* file, unsigned line);
  void wait_for_previous_kernel();
  void arrive_at_named_barrier(unsigned id, unsigned threads, const char* file, unsigned line);
  void wait_for_mbarrier(std::uint32_t barrier, unsigned parity, const char* file, unsigned line);
  // Waits until all living lanes of the mask have arrived; the last one computes finish(warp, lanes) for all.
  void meet(unsigned mask, WarpOp op, Finish finish);
  // Throws Error "kernel 'K', block (x, y, z), thread (x, y, z): WHAT".
  [[noreturn]] void fail_here(const std::string& what) const;
  const Options& options() const { return launch_->options; }
  unsigned number(const Warp& warp) const { return static_cast<unsigned>(&warp - warps_.data()); }
  // The running thread's writes so far become visible to the asynchronous proxy.
  void fence_async_proxy();
  // Whether the asynchronous proxy sees what these 16 bytes of the arena hold; else the thread that wrote them.
  bool sees_async_proxy(std::uint32_t chunk) const;
  std::string writer_of(std::uint32_t chunk) const { return where(writers[chunk] >> kFenceBits); }
  // Products that the warps of a warpgroup have issued, in order: each warp must issue the same.
  std::vector<Wgmma>& issued(unsigned warpgroup) { return issued_[warpgroup]; }
  unsigned warpgroups() const { return thread_count_ / kWarpgroup; }  // whole ones
  Mbarriers& mbarriers() { return mbarriers_; }
  // Threads that wait for it look again.
  void wake(std::uint32_t barrier);
  // Done at once, or when nobody can go on (Options::late_copies).
  void issue(const BulkCopy& copy);

 private:
  static constexpr unsigned kFenceBits = 21;  // a writer: thread, then its fences, from 1
  void prepare(const Launch& launch, std::uint64_t linear_block);
  void note_writer();
  void check_warpgroups() const;
  void check_bulk_copies() const;
  void make_arena(std::size_t bytes);
  void reset();
  // The schedule: who runs next.
  bool pick();  // makes the next runnable thread the running one; false: the block is done, or stands still
  void run_picked();
  void become(unsigned lane);
  unsigned choose(unsigned lanes);
  void order_warps();
  bool release_barrier();
  bool start_over();
  bool deliver();
  void wait_here();  // the running thread is not ready: others run
  void complete(Warp& warp, int meeting);
  // Fibers.
  static void worker(void* self);
  void work();
  void run_thread();
  void leave_thread();
  void resume(Fiber& from);
  Fiber& fiber_for_new_thread();
  [[noreturn]] void fail_deadlock() const;
  [[noreturn]] void fail_meeting(unsigned mask, WarpOp op, const Meeting* other) const;
  std::string where(unsigned thread) const;
  unsigned linear(const Warp& warp, unsigned lane) const;

  const Launch* launch_ = nullptr;
  unsigned thread_count_ = 0, warp_count_ = 0;
  std::vector<EmulatedThread> threads_;
  std::vector<Warp> warps_;
  std::vector<std::vector<Wgmma>> issued_;
  std::vector<std::uint32_t> writers_of_arena_;
  std::vector<unsigned> order_;  // of the warps
  unsigned position_ = 0;        // in order_: the warp that runs
  Warp* warp_ = nullptr;
  unsigned lane_ = 0;
  EmulatedThread* running_ = nullptr;

  unsigned alive_ = 0, at_barrier_ = 0, held_ = 0;
  bool holds_ = false;                  // the kernel in front has not ended
  const char* barrier_file_ = nullptr;  // of the first thread that arrived
  unsigned barrier_line_ = 0, barrier_thread_ = 0;
  NamedBarrier named_[kNamedBarriers];
  Mbarriers mbarriers_;
  std::vector<BulkCopy> under_way_;
  bool woken_ = false;  // lanes of a warp whose turn may be over are ready

  Fiber host_;
  std::vector<std::unique_ptr<Fiber>> fibers_;
  std::vector<Fiber*> idle_;
  Fiber* now_ = nullptr;
  std::exception_ptr error_;

  std::byte* memory_ = nullptr;
  std::size_t memory_bytes_ = 0;
  Random random_{1};
};

}  // namespace gpueval::emulator
