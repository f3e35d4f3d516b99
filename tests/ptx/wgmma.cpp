// SPDX-License-Identifier: Apache-2.0
// wgmma of bytes from shared memory, from the PTX ISA ("Matrix Descriptor Format", "Register Fragments for
// wgmma.mma_async.m64nNk32"). A product is done when it is issued, by each of the four warps for its 16 rows: here the
// accumulators may be moved before the wait, as nvcc's PTX does. What it reads is remembered until the wait: no copy
// may come there.
#include "gpueval/error.h"
#include "ptx/families.h"
#include "ptx/space.h"
#include "ptx/stages.h"

namespace gpueval::ptx {
namespace {

constexpr unsigned kProductDepth = 32, kWarpRows = 16;

// K-major, 128-byte swizzle: 8 rows of 128 bytes lie together, the next 8 are `stride` further.
struct SharedOperand {
  std::uint64_t start, stride;

  SharedOperand(Warp& warp, const std::uint64_t* descriptors)
      : start((descriptors[0] & 0x3fff) << 4), stride((descriptors[0] >> 32 & 0x3fff) << 4) {
    for (unsigned lane = 1; lane < kLanes; ++lane) {
      if (descriptors[lane] != descriptors[0]) warp.fail_here("lanes with different descriptors");
    }
    if (descriptors[0] >> 62 != 1 || (descriptors[0] >> 49 & 7) != 0) warp.fail_here("a layout that is not known");
    if (stride == 0 || stride % 1024 != 0) warp.fail_here("a stride that is no multiple of 1024");
  }
  template <typename Byte>
  void load(Warp& warp, unsigned row, std::int16_t (&values)[kProductDepth]) const {
    for (unsigned half = 0; half < 2; ++half) {
      // Addresses count for the swizzle, and shared memory begins at a multiple of 1024.
      const std::uint64_t flat = start + row / 8 * stride + row % 8 * 128 + half * 16;
      const std::byte* const from = warp.shared(flat ^ (flat >> 7 & 7) << 4, 16);
      for (unsigned k = 0; k < 16; ++k) values[16 * half + k] = static_cast<Byte>(from[k]);
    }
  }
  void note(Warp& warp, unsigned rows) const {
    const std::uint64_t first = start / 1024 * 1024 - kSharedBase;
    warp.product_reads.emplace_back(first, first + (rows / 8 - 1) * stride + 1024);
  }
};
static_assert(kSharedBase % 1024 == 0);

// row: descriptors of A and B, predicate (sums are added to). more: the accumulators. count: columns / 8.
template <typename Byte>
void multiply_group(Warp& warp, const Instruction& i) {
  warp.expect_all_lanes();
  const SharedOperand a(warp, warp.row<std::uint64_t>(i.row[0])), b(warp, warp.row<std::uint64_t>(i.row[1]));
  const bool adds = warp.predicate(i.row[2]) == kAllLanes;
  if (!adds && warp.predicate(i.row[2]) != 0) warp.fail_here("lanes with different predicates");
  const unsigned first = warp.number % 4 * kWarpRows, columns = i.count * 8u;
  std::int16_t rows[kWarpRows][kProductDepth], weights[kProductDepth];
  for (unsigned r = 0; r < kWarpRows; ++r) a.template load<Byte>(warp, first + r, rows[r]);
  for (unsigned column = 0; column < columns; ++column) {
    b.template load<std::int8_t>(warp, column, weights);
    for (unsigned r = 0; r < kWarpRows; ++r) {
      std::int32_t sum = 0;
      for (unsigned k = 0; k < kProductDepth; ++k) sum += rows[r][k] * weights[k];
      const unsigned lane = r % 8 * 4 + column % 8 / 2, element = column / 8 * 4 + r / 8 * 2 + column % 2;
      std::uint32_t& d = warp.row<std::uint32_t>(warp.kernel->more[i.more + element])[lane];
      d = static_cast<std::uint32_t>(sum) + (adds ? d : 0);
    }
  }
  a.note(warp, 64);
  b.note(warp, columns);
}

void product_fence(Warp& warp, const Instruction&) { warp.expect_all_lanes(); }
void commit_products(Warp& warp, const Instruction&) {
  warp.expect_all_lanes();
  warp.product_groups.push_back(warp.product_reads.size());
}
void wait_for_products(Warp& warp, const Instruction& i) {
  warp.expect_all_lanes();
  const auto pending = static_cast<std::size_t>(i.number);
  if (warp.product_groups.size() <= pending) return;
  const std::size_t groups = warp.product_groups.size() - pending, end = warp.product_groups[groups - 1];
  warp.product_reads.erase(warp.product_reads.begin(), warp.product_reads.begin() + static_cast<std::ptrdiff_t>(end));
  warp.product_groups.erase(warp.product_groups.begin(),
                            warp.product_groups.begin() + static_cast<std::ptrdiff_t>(groups));
  for (std::size_t& group : warp.product_groups) group -= end;
}

}  // namespace

void decode_wgmma(Decoder& decoder, Instruction& out) {
  const bool product = decoder.take("mma_async");
  const bool fence = decoder.take("fence"), commits = decoder.take("commit_group");
  const bool waits = decoder.take("wait_group");
  if (!decoder.take("sync") || !decoder.take("aligned")) decoder.fail_here("a form that is not known");
  if (waits) out.number = static_cast<std::int64_t>(decoder.immediate(decoder.operand(0)));
  out.execute = fence ? product_fence : commits ? commit_products : wait_for_products;
  if (!product) return;
  const std::string_view shape = decoder.take_any();  // m64nNk32
  const std::size_t k = shape.find("k32");
  if (shape.substr(0, 4) != "m64n" || k == shape.npos || !decoder.take("s32"))
    decoder.fail_here("a form that is not known");
  const auto columns = static_cast<unsigned>(std::stoul(std::string(shape.substr(4, k - 4))));
  const std::string_view a = decoder.take_any();
  if (!decoder.take("s8") || (a != "s8" && a != "u8")) decoder.fail_here("a form that is not known");
  decoder.expect_operands(4, 4);
  const auto sums = decoder.elements(decoder.operand(0));
  if (sums.size() != columns / 2 || columns % 8 != 0) decoder.fail_here("a fragment of another size");
  for (const std::string& name : sums) decoder.add_more(decoder.row(name, 32));
  out.count = static_cast<std::uint8_t>(columns / 8);
  out.row[0] = decoder.row(decoder.operand(1), 64);
  out.row[1] = decoder.row(decoder.operand(2), 64);
  out.row[2] = decoder.predicate(decoder.operand(3));
  out.execute = a == "u8" ? multiply_group<std::uint8_t> : multiply_group<std::int8_t>;
}

}  // namespace gpueval::ptx
