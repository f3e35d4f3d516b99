// SPDX-License-Identifier: Apache-2.0
// cp.async: 4 or 16 bytes from global to shared memory, in groups, done as late as allowed.
#include "ptx/families.h"
#include "ptx/space.h"

namespace gpueval::ptx {
namespace {

// row: shared address, global address, how many of the bytes are read (kNone: all). number: of the bytes.
void start(Warp& warp, const Instruction& i) {
  const auto* const to = warp.row<std::uint32_t>(i.row[0]);
  const auto* const from = warp.row<std::uint64_t>(i.row[1]);
  warp.each_lane([&](unsigned lane) {
    const auto size = static_cast<std::uint32_t>(i.number);
    const std::uint32_t bytes = i.row[2] == kNone ? size : warp.row<std::uint32_t>(i.row[2])[lane];
    if (bytes > size) warp.fail_here("more bytes to read than it copies");
    if (from[lane] % size != 0) warp.fail_here("misaligned access of global memory");
    const std::byte* const src = bytes > 0 ? warp.global(from[lane], size) : nullptr;
    warp.add_copy(lane, {.dst = warp.shared(to[lane], size), .src = src, .bytes = bytes, .size = size, .done = false});
  });
}
void commit(Warp& warp, const Instruction&) {
  warp.each_lane([&](unsigned lane) { warp.commit_copies(lane); });
}
void wait(Warp& warp, const Instruction& i) {
  warp.each_lane([&](unsigned lane) { warp.wait_for_copies(lane, static_cast<std::size_t>(i.number)); });
}

}  // namespace

void decode_cp(Decoder& decoder, Instruction& out) {
  if (!decoder.take("async")) decoder.fail_here("a copy that is not known");
  if (decoder.take("bulk")) return decode_bulk_copy(decoder, out);
  if (decoder.take("commit_group")) {
    out.execute = commit;
  } else if (decoder.take("wait_group")) {
    decoder.expect_operands(1, 1);
    out.number = static_cast<std::int64_t>(decoder.immediate(decoder.operand(0)));
    out.execute = wait;
  } else {
    const bool small = decoder.take("ca");  // cg has 16 bytes alone
    if ((!small && !decoder.take("cg")) || !decoder.take("shared") || !decoder.take("global"))
      decoder.fail_here("a copy that is not known");
    decoder.expect_operands(3, 4);
    const Address to = decoder.address(decoder.operand(0)), from = decoder.address(decoder.operand(1));
    const bool plain = to.bits == 32 && from.bits == 64 && to.displacement == 0 && from.displacement == 0;
    out.number = static_cast<std::int64_t>(decoder.immediate(decoder.operand(2)));
    if (!plain || out.number != (small ? 4 : 16)) decoder.fail_here("operands that are not known");
    out.row[0] = to.row;
    out.row[1] = from.row;
    out.row[2] = decoder.operands() == 4 ? decoder.row(decoder.operand(3), 32) : kNone;
    out.execute = start;
  }
}

}  // namespace gpueval::ptx
