// SPDX-License-Identifier: Apache-2.0
// What the emulator says of the errors that it finds.
#include <bit>

#include "emulator/machine.h"
#include "gpueval/error.h"

namespace gpueval::emulator {
namespace {

const char* name(WarpOp op) {
  switch (op) {
    case WarpOp::kBarrier:
      return "a warp barrier";
    case WarpOp::kShuffleXor:
      return "shuffle_xor";
    case WarpOp::kShuffle:
      return "shuffle";
    case WarpOp::kBallot:
      return "ballot";
    case WarpOp::kLdmatrix:
      return "ldmatrix";
    case WarpOp::kMma16832:
      return "mma m16n8k32 s8";
    case WarpOp::kMma16832Unsigned:
      return "mma m16n8k32 u8";
    case WarpOp::kMma8816:
      return "mma m8n8k16 s8";
    case WarpOp::kMma8816Unsigned:
      return "mma m8n8k16 u8";
    case WarpOp::kWgmmaFence:
      return "wgmma.fence";
    case WarpOp::kWgmma:
      return "wgmma";
    case WarpOp::kWgmmaCommit:
      return "wgmma.commit_group";
    case WarpOp::kWgmmaWait:
      return "wgmma.wait_group";
  }
  return "?";
}

}  // namespace

std::string Machine::where(unsigned thread_number) const {
  const Dim3& t = threads_[thread_number].index;
  return fmt::format("({}, {}, {})", t.x, t.y, t.z);
}

void Machine::fail_here(const std::string& what) const {
  fail("kernel '{}', block ({}, {}, {}), thread ({}, {}, {}): {}", launch_->kernel, block.x, block.y, block.z,
       thread->x, thread->y, thread->z, what);
}

// The block is done: have all warps of a warpgroup issued the same number of products?
void Machine::check_warpgroups() const {
  for (unsigned w = 0; w < warpgroups() * (kWarpgroup / kWarp); ++w) {
    const std::size_t all = issued_[w / (kWarpgroup / kWarp)].size(), own = warps_[w].wgmma.issued();
    if (own != all) {
      fail("kernel '{}', block ({}, {}, {}): warp {} issued {} wgmma, another of its warpgroup {}", launch_->kernel,
           block.x, block.y, block.z, w, own, all);
    }
  }
}

// The block is done: so must be all that was to come.
void Machine::check_bulk_copies() const {
  const auto refuse = [&](const std::string& what) {
    fail("kernel '{}', block ({}, {}, {}): {}", launch_->kernel, block.x, block.y, block.z, what);
  };
  if (!under_way_.empty()) refuse(fmt::format("ended with {} bulk copies under way", under_way_.size()));
  if (const Mbarrier* barrier = mbarriers_.unsettled(); barrier != nullptr) {
    refuse(fmt::format("ended with the mbarrier at {} expecting {} bytes more", barrier->offset, barrier->bytes));
  }
}

// Nobody can run: some threads wait at the barrier, others in a collective (or all in collectives).
void Machine::fail_deadlock() const {
  std::string what;
  if (at_barrier_ > 0) {
    what = fmt::format("{} threads, first thread {}, wait at the barrier {}:{}", at_barrier_, where(barrier_thread_),
                       barrier_file_, barrier_line_);
  }
  for (unsigned w = 0; w < warp_count_; ++w) {
    for (int i = 0; i < warps_[w].meetings; ++i) {
      const Meeting& m = warps_[w].meeting[i];
      const unsigned first = w * kWarp + static_cast<unsigned>(std::countr_zero(m.arrived));
      what += fmt::format("{}lanes {:#010x} of warp {}, first thread {}, wait in {} with mask {:#010x}",
                          what.empty() ? "" : "; ", m.arrived, w, where(first), name(m.op), m.mask);
    }
  }
  const auto add = [&](const std::string& text) { what += (what.empty() ? "" : "; ") + text; };
  for (unsigned id = 0; id < kNamedBarriers; ++id) {
    const NamedBarrier& b = named_[id];
    if (b.arrived == 0) continue;
    add(fmt::format("{} of {} threads, first thread {}, wait at barrier {} {}:{}", b.arrived, b.threads,
                    where(b.first_thread), id, b.file, b.line));
  }
  for (unsigned w = 0; w < warp_count_; ++w) {
    if (warps_[w].waiting == 0) continue;
    const unsigned first = w * kWarp + static_cast<unsigned>(std::countr_zero(warps_[w].waiting));
    const EmulatedThread& t = threads_[first];
    add(fmt::format("lanes {:#010x} of warp {}, first thread {}, wait for parity {} of the mbarrier at {} {}:{}",
                    warps_[w].waiting, w, where(first), t.awaited_parity, t.awaited, t.file, t.line));
  }
  fail("kernel '{}', block ({}, {}, {}): deadlock: {}", launch_->kernel, block.x, block.y, block.z, what);
}

// other: the meeting in which lanes of the mask wait for this one, or null: the mask lacks its own lane.
void Machine::fail_meeting(unsigned mask, WarpOp op, const Meeting* other) const {
  if (other == nullptr) {
    fail_here(fmt::format("calls {} with mask {:#010x}, which lacks its own lane", name(op), mask));
  }
  fail_here(fmt::format("calls {} with mask {:#010x} while lanes {:#010x} of its warp wait in {} with mask {:#010x}",
                        name(op), mask, other->arrived, name(other->op), other->mask));
}

}  // namespace gpueval::emulator
