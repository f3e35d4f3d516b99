// SPDX-License-Identifier: Apache-2.0
// What the PTX ISA says of single instructions, where it is easy to get wrong: values worked out by hand.
#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <limits>

#include "ptx/snippet.h"

namespace gpueval::ptx {
namespace {

std::uint32_t bits(float v) { return std::bit_cast<std::uint32_t>(v); }
constexpr std::uint32_t kNaN = 0x7fc00000;

// One instruction on %r0, %r1, %r2 into %r3.
std::uint32_t of(const std::string& instruction, std::uint32_t a, std::uint32_t b = 0, std::uint32_t c = 0) {
  return Snippet(instruction).run_one(a, b, c);
}
// One on %f0, %f1, %f2 into %f3.
std::uint32_t of_floats(const std::string& instruction, std::uint32_t a, std::uint32_t b = 0, std::uint32_t c = 0) {
  return Snippet("mov.b32 %f0, %r0; mov.b32 %f1, %r1; mov.b32 %f2, %r2; " + instruction + " mov.b32 %r3, %f3;")
      .run_one(a, b, c);
}

TEST(PtxInstruction, ShiftsBeyondTheSize) {
  EXPECT_EQ(of("shl.b32 %r3, %r0, %r1;", 3, 31), 0x80000000u);
  EXPECT_EQ(of("shl.b32 %r3, %r0, %r1;", 3, 32), 0u);
  EXPECT_EQ(of("shr.u32 %r3, %r0, 40;", 0x80000000u), 0u);
  EXPECT_EQ(of("shr.s32 %r3, %r0, 40;", 0x80000000u), 0xffffffffu);
  EXPECT_EQ(of("shf.l.wrap.b32 %r3, %r0, %r1, 36;", 0xabcdef01u, 0x12345678u), 0x2345678au);
  EXPECT_EQ(of("shf.r.wrap.b32 %r3, %r0, %r1, 36;", 0xabcdef01u, 0x12345678u), 0x8abcdef0u);
}

TEST(PtxInstruction, Fields) {
  EXPECT_EQ(of("bfe.u32 %r3, %r0, 4, 8;", 0xabcdu), 0xbcu);
  EXPECT_EQ(of("bfe.s32 %r3, %r0, 4, 8;", 0xabcdu), 0xffffffbcu);
  EXPECT_EQ(of("bfe.s32 %r3, %r0, 28, 8;", 0x90000000u), 0xfffffff9u);
  EXPECT_EQ(of("bfe.s32 %r3, %r0, 4, 0;", 0xabcdu), 0u);
  EXPECT_EQ(of("bfi.b32 %r3, %r0, %r1, 8, 4;", 0xfu, 0x12345678u), 0x12345f78u);
  EXPECT_EQ(of("bfi.b32 %r3, %r0, %r1, 40, 4;", 0xfu, 0x12345678u), 0x12345678u);
}

TEST(PtxInstruction, BytesAndLogic) {
  EXPECT_EQ(of("prmt.b32 %r3, %r0, %r1, 0x7531;", 0x33221100u, 0x77665544u), 0x77553311u);
  EXPECT_EQ(of("prmt.b32 %r3, %r0, %r1, 0xc8;", 0x33221180u, 0x77665544u), 0x808000ffu);  // nibbles 0, 0, c, 8
  EXPECT_EQ(of("lop3.b32 %r3, %r0, %r1, %r2, 0xe4;", 0xf0f0f0f0u, 0xccccccccu, 0xaaaaaaaau), 0xe4e4e4e4u);
  EXPECT_EQ(of("lop3.b32 %r3, %r0, %r1, %r2, 0x96;", 0x12345678u, 0x9abcdef0u, 0x0f0f0f0fu),
            0x12345678u ^ 0x9abcdef0u ^ 0x0f0f0f0fu);
  EXPECT_EQ(of("dp4a.s32.s32 %r3, %r0, %r1, %r2;", 0x80ff0180u, 0x80017f80u, 7), 16384u - 1 + 127 + 16384 + 7);
  EXPECT_EQ(of("dp4a.u32.s32 %r3, %r0, %r1, %r2;", 0x00ff0080u, 0x00ff0080u, 0x80000000u),
            0x80000000u - 255 - 128 * 128);
}

TEST(PtxInstruction, IntegersOfSeveralSizes) {
  EXPECT_EQ(of("mul.hi.s32 %r3, %r0, %r1;", 0xffffffffu, 2), 0xffffffffu);
  EXPECT_EQ(of("mul.hi.u32 %r3, %r0, %r1;", 0xffffffffu, 2), 1u);
  EXPECT_EQ(of("mul.wide.s32 %rd5, %r0, %r1; shr.u64 %rd5, %rd5, 32; cvt.u32.u64 %r3, %rd5;", 0xffffffffu, 2),
            0xffffffffu);
  EXPECT_EQ(of("div.s32 %r3, %r0, %r1;", static_cast<std::uint32_t>(-7), 2), static_cast<std::uint32_t>(-3));
  EXPECT_EQ(of("rem.s32 %r3, %r0, %r1;", static_cast<std::uint32_t>(-7), 2), static_cast<std::uint32_t>(-1));
  EXPECT_EQ(of("cvt.s32.s8 %r3, %r0;", 0x1280u), 0xffffff80u);
  EXPECT_EQ(of("cvt.u32.u8 %r3, %r0;", 0x1280u), 0x80u);
  EXPECT_EQ(of("cvt.s64.s32 %rd5, %r0; shr.u64 %rd5, %rd5, 32; cvt.u32.u64 %r3, %rd5;", 0x80000000u), 0xffffffffu);
  EXPECT_EQ(of("cvt.u16.u32 %rs1, %r0; cvt.s16.s8 %rs2, %rs1; mov.b32 %r3, {%rs1, %rs2};", 0x78f0u), 0xfff078f0u);
}

TEST(PtxInstruction, MinimaOfZerosAndNaNs) {
  const std::uint32_t minus_zero = 0x80000000u, one = bits(1);
  EXPECT_EQ(of_floats("min.f32 %f3, %f0, %f1;", 0, minus_zero), minus_zero);
  EXPECT_EQ(of_floats("max.f32 %f3, %f0, %f1;", minus_zero, 0), 0u);
  EXPECT_EQ(of_floats("min.f32 %f3, %f0, %f1;", kNaN, one), one);
  EXPECT_EQ(of_floats("max.f32 %f3, %f0, %f1;", one, kNaN), one);
}

TEST(PtxInstruction, FloatsAreRoundedOnce) {
  const std::uint32_t a = bits(1 + 0x1p-23f), one = bits(1);
  EXPECT_EQ(of_floats("fma.rn.f32 %f3, %f0, %f0, %f1;", a, bits(-1 - 0x1p-22f)), bits(0x1p-46f));
  EXPECT_EQ(of_floats("mul.rn.f32 %f3, %f0, %f0;", a), bits(1 + 0x1p-22f));
  EXPECT_EQ(of_floats("fma.rm.f32 %f3, %f0, %f1, %f2;", one, one, bits(-0x1p-30f)), bits(1 - 0x1p-24f));
  EXPECT_EQ(of_floats("mul.rn.f32 %f3, %f0, %f1;", 1, one), 1u);  // a subnormal is kept
}

// One on %fd0, %fd1, of the floats %f0, %f1, into the float %f3.
std::uint32_t of_doubles(const std::string& instruction, float a, float b = 0) {
  return of_floats("cvt.f64.f32 %fd0, %f0; cvt.f64.f32 %fd1, %f1; " + instruction + " cvt.rn.f32.f64 %f3, %fd3;",
                   bits(a), bits(b));
}

TEST(PtxInstruction, DoublesAreDivided) {
  EXPECT_EQ(of_doubles("div.rn.f64 %fd3, %fd0, %fd1;", 1, 3), bits(0.333333343f));
  EXPECT_EQ(of_doubles("div.rn.f64 %fd3, %fd0, %fd1; mul.rn.f64 %fd3, %fd3, %fd1; sub.rn.f64 %fd3, %fd3, %fd0;", 1, 49),
            bits(-0x1p-53f));
  EXPECT_EQ(of_doubles("rcp.rn.f64 %fd3, %fd0;", 4), bits(0.25f));
  EXPECT_EQ(of_doubles("neg.f64 %fd3, %fd0;", 0), 0x80000000u);
  EXPECT_EQ(of_doubles("setp.lt.f64 %p1, %fd0, %fd1; selp.f64 %fd3, %fd0, %fd1, %p1;", 2, -1), bits(-1));
}

TEST(PtxInstruction, FloatsToWholeFloatsRootsAndReciprocals) {
  const auto of_one = [](const std::string& name, float v) { return of_floats(name + " %f3, %f0;", bits(v)); };
  EXPECT_EQ(of_one("cvt.rni.f32.f32", 2.5f), bits(2));
  EXPECT_EQ(of_one("cvt.rzi.f32.f32", -2.9f), bits(-2));
  EXPECT_EQ(of_one("cvt.rmi.f32.f32", -2.1f), bits(-3));
  EXPECT_EQ(of_one("sqrt.rn.f32", 2), bits(1.41421354f));
  EXPECT_EQ(of_one("rcp.rn.f32", 3), bits(0.333333343f));
  EXPECT_EQ(of_one("rcp.approx.ftz.f32", 0x1p127f), 0u);  // 2^-127 is a subnormal
}

TEST(PtxInstruction, FloatsToIntegersSaturate) {
  const auto nearest = [](float v) { return of("mov.b32 %f0, %r0; cvt.rni.s32.f32 %r3, %f0;", bits(v)); };
  EXPECT_EQ(nearest(2.5f), 2u);
  EXPECT_EQ(nearest(-3.5f), static_cast<std::uint32_t>(-4));
  EXPECT_EQ(nearest(3e9f), 0x7fffffffu);
  EXPECT_EQ(nearest(-3e9f), 0x80000000u);
  EXPECT_EQ(of("mov.b32 %f0, %r0; cvt.rni.s32.f32 %r3, %f0;", kNaN), 0u);
  EXPECT_EQ(of("mov.b32 %f0, %r0; cvt.rzi.s32.f32 %r3, %f0;", bits(-2.9f)), static_cast<std::uint32_t>(-2));
}

TEST(PtxInstruction, PackedBytesSaturate) {
  const auto u8 = [](int high, int low) {
    return of("cvt.pack.sat.u8.s32.b32 %r3, %r0, %r1, %r2;", static_cast<std::uint32_t>(high),
              static_cast<std::uint32_t>(low), 0x89abcdefu);
  };
  const auto s8 = [](int high, int low) {
    return of("cvt.pack.sat.s8.s32.b32 %r3, %r0, %r1, %r2;", static_cast<std::uint32_t>(high),
              static_cast<std::uint32_t>(low), 0x89abcdefu);
  };
  constexpr int kLeast = std::numeric_limits<int>::min(), kMost = std::numeric_limits<int>::max();
  EXPECT_EQ(u8(1, 2), 0xcdef0102u);
  EXPECT_EQ(u8(255, 256), 0xcdefffffu);
  EXPECT_EQ(u8(0, -1), 0xcdef0000u);
  EXPECT_EQ(u8(kLeast, kMost), 0xcdef00ffu);
  EXPECT_EQ(s8(1, -2), 0xcdef01feu);
  EXPECT_EQ(s8(127, 128), 0xcdef7f7fu);
  EXPECT_EQ(s8(-128, -129), 0xcdef8080u);
  EXPECT_EQ(s8(kMost, kLeast), 0xcdef7f80u);
}

TEST(PtxInstruction, ComparisonsOfNaNs) {
  const auto compare = [](const std::string& name, std::uint32_t a, std::uint32_t b) {
    return of("mov.b32 %f0, %r0; mov.b32 %f1, %r1; setp." + name + ".f32 %p1, %f0, %f1; selp.b32 %r3, 1, 0, %p1;", a,
              b);
  };
  for (const char* name : {"eq", "ne", "lt", "le", "gt", "ge", "num"}) EXPECT_EQ(compare(name, kNaN, 0), 0u) << name;
  for (const char* name : {"equ", "neu", "ltu", "leu", "gtu", "geu", "nan"})
    EXPECT_EQ(compare(name, 0, kNaN), 1u) << name;
  EXPECT_EQ(compare("num", 0, 0), 1u);
  EXPECT_EQ(
      of("setp.lt.s32 %p1, %r0, %r1; setp.lo.or.u32 %p2, %r0, %r1, %p1; selp.b32 %r3, 1, 0, %p2;", 5, 0xffffffffu), 1u);
  EXPECT_EQ(of("setp.lt.s32 %p1, %r0, %r1; selp.b32 %r3, 1, 0, %p1;", 5, 0xffffffffu), 0u);
}

TEST(PtxInstruction, ShufflesStayInTheirSegments) {
  Words lanes(32), by(32);
  for (std::uint32_t i = 0; i < 32; ++i) lanes[i] = 100 + i;
  // Width 8: the segments' mask is 0x18, the clamp 0x1f.
  Words out = Snippet("shfl.sync.idx.b32 %r3|%p1, %r0, 3, 0x181f, -1;").run(32, lanes);
  for (std::uint32_t i = 0; i < 32; ++i) EXPECT_EQ(out[i], 100 + i / 8 * 8 + 3);
  out = Snippet("shfl.sync.bfly.b32 %r3|%p1, %r0, 5, 31, -1;").run(32, lanes);
  for (std::uint32_t i = 0; i < 32; ++i) EXPECT_EQ(out[i], 100 + (i ^ 5));
}

TEST(PtxInstruction, PartedLanesMeetAgain) {
  const Words out = Snippet(R"(setp.lt.u32 %p1, %r0, 7;
    @%p1 bra $LOW;
    add.s32 %r3, %r3, 100;
    bra.uni $JOIN;
  $LOW:
    add.s32 %r3, %r3, 1;
    setp.lt.u32 %p2, %r3, %r0;
    @%p2 bra $LOW;
  $JOIN:
    vote.sync.ballot.b32 %r4, %p1, -1;
    shl.b32 %r4, %r4, 16;
    add.s32 %r3, %r3, %r4;)")
                        .run(32, {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                                  16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31});
  for (std::uint32_t i = 0; i < 32; ++i) EXPECT_EQ(out[i], (i >= 7 ? 100 : i == 0 ? 1 : i) + (0x7fu << 16)) << i;
}

}  // namespace
}  // namespace gpueval::ptx
