// SPDX-License-Identifier: Apache-2.0
// mbarrier, cp.async.bulk and the fences of the asynchronous proxy.
#include <cstring>

#include "ptx/families.h"
#include "ptx/space.h"
#include "ptx/stages.h"

namespace gpueval::ptx {
namespace {

std::uint64_t offset_of(Warp& warp, std::uint32_t address, std::size_t bytes) {
  const std::uint64_t offset = std::uint64_t{address} - kSharedBase;
  if (offset + bytes > warp.shared_bytes || offset > warp.shared_bytes || offset % bytes != 0) {
    warp.fail_here("shared memory out of bounds or misaligned");
  }
  return offset;
}

// row: barrier, arrivals or bytes or parity, predicate.
void init_barrier(Warp& warp, const Instruction& i) {
  warp.each_lane([&](unsigned lane) {
    warp.stages->init(warp, offset_of(warp, warp.row<std::uint32_t>(i.row[0])[lane], 8),
                      warp.row<std::uint32_t>(i.row[1])[lane]);
  });
}
void arrive_at(Warp& warp, const Instruction& i) {
  warp.each_lane([&](unsigned lane) {
    const std::uint32_t bytes = i.row[1] == kNone ? 0 : warp.row<std::uint32_t>(i.row[1])[lane];
    warp.stages->arrive(warp, offset_of(warp, warp.row<std::uint32_t>(i.row[0])[lane], 8), bytes);
  });
}
void try_wait(Warp& warp, const Instruction& i) {
  std::uint32_t over = 0;
  warp.stalled = false;
  warp.each_lane([&](unsigned lane) {
    const std::uint64_t offset = offset_of(warp, warp.row<std::uint32_t>(i.row[0])[lane], 8);
    const bool is_over = warp.stages->is_over(warp, offset, warp.row<std::uint32_t>(i.row[1])[lane]);
    over |= (is_over ? 1u : 0u) << lane;
    warp.stalled = warp.stalled || !is_over;
  });
  warp.set_predicate(i.row[2], over);
}
void proxy_fence(Warp& warp, const Instruction&) { warp.stages->fence(warp); }

// row: shared address, global address, bytes, barrier.
void copy_bytes(Warp& warp, const Instruction& i) {
  warp.each_lane([&](unsigned lane) {
    const std::uint64_t from = warp.row<std::uint64_t>(i.row[1])[lane];
    const std::uint32_t bytes = warp.row<std::uint32_t>(i.row[2])[lane];
    if (from % 16 != 0) warp.fail_here("misaligned access of global memory");
    static_cast<void>(warp.global(from, 1));
    static_cast<void>(warp.global(from + bytes - 1, 1));
    warp.stages->issue(warp, {.offset = offset_of(warp, warp.row<std::uint32_t>(i.row[0])[lane], 16),
                              .bytes = bytes,
                              .barrier = offset_of(warp, warp.row<std::uint32_t>(i.row[3])[lane], 8),
                              .src = reinterpret_cast<const std::byte*>(from)});
  });
}

// row: shared address, map, barrier, coordinates (i.count), taps.
void copy_box(Warp& warp, const Instruction& i) {
  warp.each_lane([&](unsigned lane) {
    BulkCopy copy{.offset = offset_of(warp, warp.row<std::uint32_t>(i.row[0])[lane], 16),
                  .barrier = offset_of(warp, warp.row<std::uint32_t>(i.row[2])[lane], 8)};
    const std::uint64_t map = warp.row<std::uint64_t>(i.row[1])[lane];
    if (map % 64 != 0) warp.fail_here("a misaligned tensor map");
    static_cast<void>(warp.parameter(map + 64, 64));
    std::memcpy(static_cast<void*>(&copy.map), warp.parameter(map, 64), sizeof copy.map);  // tests/ptx/driver.cpp
    const bool im2col = i.number != 0;
    if (copy.map.rank != i.count || copy.map.im2col != im2col) warp.fail_here("a tensor map of another kind");
    for (unsigned d = 0; d < i.count; ++d) {
      copy.at[d] = static_cast<std::int32_t>(warp.row<std::uint32_t>(i.row[3 + d])[lane]);
    }
    for (unsigned d = 0; im2col && d < 2; ++d) {
      copy.tap[d] = static_cast<std::uint16_t>(warp.row<std::uint32_t>(i.row[7 + d])[lane]);
    }
    copy.bytes = std::uint64_t{copy.map.box[0]} * copy.map.box[1];
    const auto* const address = static_cast<const std::byte*>(copy.map.address);
    std::uint64_t last = copy.map.sizes[0] - 1;
    for (unsigned d = 1; d < i.count; ++d) last += (copy.map.sizes[d] - 1) * copy.map.strides[d - 1];
    const auto first = reinterpret_cast<std::uint64_t>(address);
    static_cast<void>(warp.global(first, 1));
    static_cast<void>(warp.global(first + last, 1));
    warp.stages->issue(warp, copy);
  });
}

std::uint32_t shared_row(Decoder& decoder, const std::string& operand) {
  const Address address = decoder.address(operand);
  if (address.bits != 32 || address.displacement != 0) decoder.fail_here("operands that are not known");
  return address.row;
}

}  // namespace

void decode_mbarrier(Decoder& decoder, Instruction& out) {
  if (decoder.take("init")) {
    decoder.expect_operands(2, 2);
    out.row[0] = shared_row(decoder, decoder.operand(0));
    out.row[1] = decoder.row(decoder.operand(1), 32);
    out.execute = init_barrier;
  } else if (decoder.take("arrive")) {
    const bool expects = decoder.take("expect_tx");
    decoder.expect_operands(expects ? 3 : 2, expects ? 3 : 2);
    if (decoder.operand(0) != "_") decoder.fail_here("the state of an mbarrier");
    out.row[0] = shared_row(decoder, decoder.operand(1));
    out.row[1] = expects ? decoder.row(decoder.operand(2), 32) : kNone;
    out.execute = arrive_at;
  } else {
    decoder.take_all({"try_wait", "parity"});
    decoder.expect_operands(3, 3);
    out.row[0] = shared_row(decoder, decoder.operand(1));
    out.row[1] = decoder.row(decoder.operand(2), 32);
    out.row[2] = decoder.predicate(decoder.operand(0));
    out.execute = try_wait;
  }
  decoder.take_all({"shared::cta", "b64"});
}

void decode_proxy_fence(Decoder& decoder, Instruction& out) {
  if (decoder.take("async")) {
    decoder.take_all({"shared::cta"});
  } else {
    decoder.take_all({"release", "cluster"});
  }
  decoder.expect_operands(0, 0);
  out.execute = proxy_fence;
}

// cp.async.bulk[.tensor.Nd].shared::cluster.global[.tile|.im2col].mbarrier::complete_tx::bytes
void decode_bulk_copy(Decoder& decoder, Instruction& out) {
  const bool tensor = decoder.take("tensor");
  decoder.take_all({"shared::cluster", "global", "mbarrier::complete_tx::bytes"});
  out.row[0] = shared_row(decoder, decoder.operand(0));
  if (!tensor) {
    decoder.expect_operands(4, 4);
    const Address from = decoder.address(decoder.operand(1));
    if (from.bits != 64 || from.displacement != 0) decoder.fail_here("operands that are not known");
    out.row[1] = from.row;
    out.row[2] = decoder.row(decoder.operand(2), 32);
    out.row[3] = shared_row(decoder, decoder.operand(3));
    out.execute = copy_bytes;
    return;
  }
  const bool im2col = decoder.take("im2col");
  decoder.take_all(im2col ? std::initializer_list<std::string_view>{"4d"}
                          : std::initializer_list<std::string_view>{"tile", "2d"});
  decoder.expect_operands(im2col ? 4 : 3, im2col ? 4 : 3);
  const std::string& source = decoder.operand(1);  // "[%rd1, {%r1, %r2}]"
  const std::size_t comma = std::min(source.find(','), source.size());
  const Address map = decoder.address(source.substr(0, comma) + "]");
  if (map.bits != 64 || map.displacement != 0 || comma == source.size())
    decoder.fail_here("operands that are not known");
  const auto places = decoder.elements(std::string(trimmed(source.substr(comma + 1, source.size() - comma - 2))));
  out.count = im2col ? 4 : 2;
  if (places.size() != out.count) decoder.fail_here("coordinates of another tensor");
  out.row[1] = map.row;
  out.row[2] = shared_row(decoder, decoder.operand(2));
  for (std::size_t d = 0; d < places.size(); ++d) out.row[3 + d] = decoder.row(places[d], 32);
  out.number = im2col ? 1 : 0;
  if (im2col) {
    const auto taps = decoder.elements(decoder.operand(3));
    if (taps.size() != 2) decoder.fail_here("offsets of another tensor");
    for (std::size_t d = 0; d < 2; ++d) out.row[7 + d] = decoder.row(taps[d], 16);
  }
  out.execute = copy_box;
}

}  // namespace gpueval::ptx
