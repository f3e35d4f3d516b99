// SPDX-License-Identifier: Apache-2.0
// ldmatrix and mma, from the PTX ISA's "Matrix Fragments for mma.m16n8k32", "... mma.m8n8k16" and "ldmatrix": written
// anew, nothing of the emulator's. All lanes must execute them together.
#include <cstring>

#include "gpueval/error.h"
#include "ptx/families.h"
#include "ptx/space.h"

namespace gpueval::ptx {
namespace {

// Lane 8 m + r holds the address of row r of matrix m; lane l receives two 16-bit elements, 2 (l % 4) and the next, of
// row l / 4 of each. row: four destinations, address.
void load_matrices(Warp& warp, const Instruction& i) {
  warp.expect_all_lanes();
  const auto* const addresses = warp.row<std::uint32_t>(i.row[4]);
  std::uint16_t matrix[4][8][8];
  for (unsigned lane = 0; lane < kLanes; ++lane) {
    std::memcpy(matrix[lane / 8][lane % 8], warp.shared(address_of(addresses[lane], i), 16), 16);
  }
  for (unsigned m = 0; m < 4; ++m) {
    auto* const dst = warp.row<std::uint32_t>(i.row[m]);
    for (unsigned lane = 0; lane < kLanes; ++lane) {
      const std::uint16_t* const pair = &matrix[m][lane / 4][2 * (lane % 4)];
      dst[lane] = pair[0] | std::uint32_t{pair[1]} << 16;
    }
  }
}

struct Place {
  unsigned row, column;
};
// Where element e of a lane's fragment lies; the elements of a register are consecutive, the lowest first.
struct M16n8k32 {
  static constexpr unsigned kRows = 16, kDepth = 32, kA = 4, kB = 2, kC = 4;  // registers
  static Place a(unsigned lane, unsigned e) {
    const unsigned group = lane >> 2, thread = lane % 4;
    const bool upper = e < 4 || (e >= 8 && e < 12);
    return {upper ? group : group + 8, thread * 4 + (e & 3) + (e < 8 ? 0 : 16)};
  }
  static Place b(unsigned lane, unsigned e) { return {lane % 4 * 4 + (e & 3) + (e < 4 ? 0 : 16), lane >> 2}; }
  static Place c(unsigned lane, unsigned e) { return {(lane >> 2) + (e < 2 ? 0 : 8), lane % 4 * 2 + (e & 1)}; }
};
struct M8n8k16 {
  static constexpr unsigned kRows = 8, kDepth = 16, kA = 1, kB = 1, kC = 2;
  static Place a(unsigned lane, unsigned e) { return {lane >> 2, lane % 4 * 4 + e}; }
  static Place b(unsigned lane, unsigned e) { return {lane % 4 * 4 + e, lane >> 2}; }
  static Place c(unsigned lane, unsigned e) { return {lane >> 2, lane % 4 * 2 + e}; }
};

// row: D, A, B, C. kByte: A's type; B's is signed. Sums wrap.
template <typename Shape, typename Byte>
void multiply(Warp& warp, const Instruction& i) {
  warp.expect_all_lanes();
  constexpr unsigned kFirstA = Shape::kC, kFirstB = kFirstA + Shape::kA, kFirstC = kFirstB + Shape::kB;
  std::int16_t a[Shape::kRows][Shape::kDepth], b[8][Shape::kDepth];  // b by columns
  for (unsigned lane = 0; lane < kLanes; ++lane) {
    for (unsigned e = 0; e < 4 * Shape::kA; ++e) {
      const Place at = Shape::a(lane, e);
      a[at.row][at.column] = static_cast<Byte>(warp.row<std::uint32_t>(i.row[kFirstA + e / 4])[lane] >> 8 * (e % 4));
    }
    for (unsigned e = 0; e < 4 * Shape::kB; ++e) {
      const Place at = Shape::b(lane, e);
      b[at.column][at.row] =
          static_cast<std::int8_t>(warp.row<std::uint32_t>(i.row[kFirstB + e / 4])[lane] >> 8 * (e % 4));
    }
  }
  std::uint32_t sums[Shape::kRows][8];
  for (unsigned row = 0; row < Shape::kRows; ++row) {
    for (unsigned column = 0; column < 8; ++column) {
      std::int32_t sum = 0;
      for (unsigned k = 0; k < Shape::kDepth; ++k) sum += a[row][k] * b[column][k];
      sums[row][column] = static_cast<std::uint32_t>(sum);
    }
  }
  for (unsigned e = 0; e < Shape::kC; ++e) {  // all of C before any of D
    const auto* const c = warp.row<std::uint32_t>(i.row[kFirstC + e]);
    for (unsigned lane = 0; lane < kLanes; ++lane) {
      const Place at = Shape::c(lane, e);
      sums[at.row][at.column] += c[lane];
    }
  }
  for (unsigned e = 0; e < Shape::kC; ++e) {
    auto* const d = warp.row<std::uint32_t>(i.row[e]);
    for (unsigned lane = 0; lane < kLanes; ++lane) {
      const Place at = Shape::c(lane, e);
      d[lane] = sums[at.row][at.column];
    }
  }
}

template <typename Shape>
void decode_product(Decoder& decoder, Instruction& out, bool unsigned_a) {
  decoder.expect_operands(4, 4);
  constexpr std::size_t kSizes[] = {Shape::kC, Shape::kA, Shape::kB, Shape::kC};
  std::size_t next = 0;
  for (std::size_t operand = 0; operand < 4; ++operand) {
    const auto registers = decoder.elements(decoder.operand(operand));
    if (registers.size() != kSizes[operand]) decoder.fail_here("a fragment of another size");
    for (const std::string& name : registers) out.row[next++] = decoder.row(name, 32);
  }
  out.execute = unsigned_a ? multiply<Shape, std::uint8_t> : multiply<Shape, std::int8_t>;
}

}  // namespace

void decode_ldmatrix(Decoder& decoder, Instruction& out) {
  decoder.take_all({"sync", "aligned", "m8n8", "x4", "shared", "b16"});
  decoder.expect_operands(2, 2);
  const auto registers = decoder.elements(decoder.operand(0));
  const Address address = decoder.address(decoder.operand(1));
  if (registers.size() != 4 || address.bits != 32) decoder.fail_here("operands that are not known");
  for (std::size_t m = 0; m < 4; ++m) out.row[m] = decoder.row(registers[m], 32);
  out.row[4] = address.row;
  out.number = address.displacement;
  out.execute = load_matrices;
}

// mma.sync.aligned.SHAPE.row.col.s32.{s8|u8}.s8.s32
void decode_mma(Decoder& decoder, Instruction& out) {
  decoder.take_all({"sync", "aligned"});
  const std::string_view shape = decoder.take_any();
  decoder.take_all({"row", "col", "s32"});
  const std::string_view a = decoder.take_any();
  decoder.take_all({"s8", "s32"});
  if (a != "s8" && a != "u8") decoder.fail_here("a form that is not known");
  if (shape == "m16n8k32") return decode_product<M16n8k32>(decoder, out, a == "u8");
  if (shape == "m8n8k16") return decode_product<M8n8k16>(decoder, out, a == "u8");
  decoder.fail_here("a form that is not known");
}

}  // namespace gpueval::ptx
