// SPDX-License-Identifier: Apache-2.0
// Instructions of several lanes at once: shfl, vote and the barriers. A lane that the mask names and that is somewhere
// else would hang a GPU or give anything: an Error.
#include "gpueval/error.h"
#include "ptx/families.h"
#include "ptx/space.h"

namespace gpueval::ptx {
namespace {

// Every lane's mask must be present and name the lane.
void check_mask(Warp& warp, const std::uint32_t* masks) {
  warp.each_lane([&](unsigned lane) {
    const std::uint32_t mask = masks[lane];
    if ((mask & warp.alive & ~warp.active) != 0 || (mask >> lane & 1) == 0) {
      warp.fail_here(
          fmt::format("lane {} names the lanes {:#x}, and {:#x} are there: diverged", lane, mask, warp.active));
    }
  });
}

// PTX ISA "shfl.sync": c holds the clamp in bits 0-4 and the mask of segments in bits 8-12.
// row: destination, a, b, c, mask, predicate (kNone: not asked for).
template <bool kXor>
void shuffle(Warp& warp, const Instruction& i) {
  check_mask(warp, warp.row<std::uint32_t>(i.row[4]));
  const auto* const a = warp.row<std::uint32_t>(i.row[1]);
  const auto* const b = warp.row<std::uint32_t>(i.row[2]);
  const auto* const c = warp.row<std::uint32_t>(i.row[3]);
  std::uint32_t results[kLanes];
  std::uint32_t in_range = 0;
  warp.each_lane([&](unsigned lane) {
    const std::uint32_t segments = c[lane] >> 8 & 31, clamp = c[lane] & 31;
    const std::uint32_t last = (lane & segments) | (clamp & ~segments), first = lane & segments;
    const std::uint32_t by = b[lane] & 31;
    std::uint32_t from = kXor ? lane ^ by : first | (by & ~segments);
    if (from <= last) {
      in_range |= 1u << lane;
    } else {
      from = lane;
    }
    if ((warp.active >> from & 1) == 0) warp.fail_here(fmt::format("lane {} reads the absent lane {}", lane, from));
    results[lane] = a[from];
  });
  auto* const dst = warp.row<std::uint32_t>(i.row[0]);
  warp.each_lane([&](unsigned lane) { dst[lane] = results[lane]; });
  if (i.row[5] != kNone) warp.set_predicate(i.row[5], in_range);
}

// row: destination, mask. number: the predicate is negated.
void ballot(Warp& warp, const Instruction& i) {
  const auto* const masks = warp.row<std::uint32_t>(i.row[2]);
  check_mask(warp, masks);
  const std::uint32_t votes = warp.predicate(i.row[1]) ^ (i.number != 0 ? kAllLanes : 0);
  auto* const dst = warp.row<std::uint32_t>(i.row[0]);
  warp.each_lane([&](unsigned lane) { dst[lane] = votes & warp.active & masks[lane]; });
}

void warp_barrier(Warp& warp, const Instruction& i) { check_mask(warp, warp.row<std::uint32_t>(i.row[0])); }

void stop(Warp& warp, const Instruction&) { warp.fail_here("a trap"); }

void decode_block_barrier(Decoder& decoder, Instruction& out) {
  decoder.expect_operands(1, 2);
  out.number = static_cast<std::int64_t>(decoder.immediate(decoder.operand(0)));
  if (out.number > 15) decoder.fail_here("a barrier that is not known");
  out.row[0] = decoder.operands() == 2 ? decoder.row(decoder.operand(1), 32) : kNone;  // how many threads
  out.flow = Flow::kBarrier;
}

}  // namespace

void decode_shfl(Decoder& decoder, Instruction& out) {
  if (!decoder.take("sync") || decoder.take_any().empty()) decoder.fail_here("a shuffle that is not known");
  const std::string& kind = decoder.statement().name.at(2);
  if (decoder.take_type().bits != 32) decoder.fail_here("a type that is not known");
  decoder.expect_operands(5, 5);
  const std::string& dst = decoder.operand(0);
  const std::size_t bar = std::min(dst.find('|'), dst.size());
  out.row[0] = decoder.row(std::string(trimmed(dst.substr(0, bar))), 32);
  for (std::size_t i = 1; i < 5; ++i) out.row[i] = decoder.row(decoder.operand(i), 32);
  out.row[5] = bar < dst.size() ? decoder.predicate(std::string(trimmed(dst.substr(bar + 1)))) : kNone;
  if (kind != "bfly" && kind != "idx") decoder.fail_here("a shuffle that is not known");
  out.execute = kind == "bfly" ? shuffle<true> : shuffle<false>;
}

void decode_vote(Decoder& decoder, Instruction& out) {
  if (!decoder.take("sync") || !decoder.take("ballot") || !decoder.take("b32"))
    decoder.fail_here("a vote that is not known");
  decoder.expect_operands(3, 3);
  const std::string& voter = decoder.operand(1);
  out.number = voter.front() == '!' ? 1 : 0;
  out.row[0] = decoder.row(decoder.operand(0), 32);
  out.row[1] = decoder.predicate(voter.front() == '!' ? voter.substr(1) : voter);
  out.row[2] = decoder.row(decoder.operand(2), 32);
  out.execute = ballot;
}

void decode_bar(Decoder& decoder, Instruction& out) {
  if (decoder.take("warp")) {
    if (!decoder.take("sync")) decoder.fail_here("a barrier that is not known");
    decoder.expect_operands(1, 1);
    out.row[0] = decoder.row(decoder.operand(0), 32);
    out.execute = warp_barrier;
    return;
  }
  static_cast<void>(decoder.take("cta"));
  if (!decoder.take("sync")) decoder.fail_here("a barrier that is not known");
  decode_block_barrier(decoder, out);
}
void decode_barrier(Decoder& decoder, Instruction& out) {
  static_cast<void>(decoder.take("cta"));
  if (!decoder.take("sync")) decoder.fail_here("a barrier that is not known");
  static_cast<void>(decoder.take("aligned"));
  decode_block_barrier(decoder, out);
}

void decode_trap(Decoder& decoder, Instruction& out) {
  decoder.expect_operands(0, 0);
  out.execute = stop;
}

}  // namespace gpueval::ptx
