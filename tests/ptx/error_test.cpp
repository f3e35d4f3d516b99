// SPDX-License-Identifier: Apache-2.0
// What the interpreter refuses, naming file, line and statement.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gpueval/error.h"
#include "ptx/snippet.h"

namespace gpueval::ptx {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string error_of(const std::string& body, unsigned threads = 32, bool descending = false) {
  try {
    Snippet snippet(body);
    snippet.descending = descending;
    Words lanes(threads);
    for (std::uint32_t i = 0; i < threads; ++i) lanes[i] = i;
    snippet.run(threads, lanes);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}
constexpr const char* kBase = "mov.u32 %r5, gpueval_shared_arena; ";

TEST(PtxError, WhatIsNotKnown) {
  EXPECT_EQ(error_of("\nfrobnicate.b32 %r3, %r0;"),
            "snippet.ptx:13: an instruction that is not known in 'frobnicate.b32 %r3, %r0'");
  EXPECT_THAT(error_of("add.f32 %f3, %f0, %f1;"), HasSubstr("not known"));  // ptxas might fuse it
  EXPECT_THAT(error_of("ld.global.lu.u32 %r3, [%rd1];"), HasSubstr("snippet.ptx:12: "));
  EXPECT_THAT(error_of("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%r1}, {%r1}, {%r1}, {%r1};"),
              HasSubstr("not known"));
  EXPECT_THAT(error_of("add.s32 %r3, %rd1, %r0;"), HasSubstr("%rd1 has 64 bits, not 32"));
  EXPECT_THAT(error_of("bra.uni $NOWHERE;"), HasSubstr("no such label"));
}

TEST(PtxError, GlobalMemoryOfOthers) {
  EXPECT_THAT(error_of("ld.global.u32 %r3, [%rd1+128];"),
              AllOf(HasSubstr("4 bytes behind the end"), HasSubstr("block (0, 0, 0), warp 0")));
  EXPECT_THAT(error_of("ld.global.u32 %r3, [%rd1+-1024];"), HasSubstr("allocation"));
  EXPECT_THAT(error_of("ld.global.u32 %r3, [%rd1+2];"), HasSubstr("misaligned"));
  EXPECT_EQ(error_of("setp.lt.u32 %p1, %r0, 0; @%p1 ld.global.u32 %r3, [%rd1+128];"), "");  // no lane does it
}

TEST(PtxError, SharedMemory) {
  EXPECT_EQ(error_of(std::string(kBase) + "st.shared.u32 [%r5+1020], %r0;"), "");
  EXPECT_THAT(error_of(std::string(kBase) + "st.shared.u32 [%r5+1024], %r0;"), HasSubstr("4 bytes at 1024 of 1024"));
  EXPECT_THAT(error_of(std::string(kBase) + "st.shared.u32 [%r5+-4], %r0;"), HasSubstr("4 bytes at -4 of 1024"));
  EXPECT_THAT(error_of(std::string(kBase) + "st.shared.u32 [%r5+6], %r0;"), HasSubstr("misaligned"));
}

TEST(PtxError, DivergedCollectives) {
  const std::string part = std::string(kBase) + "setp.lt.u32 %p1, %r0, 5; @%p1 bra $END; ";
  EXPECT_THAT(error_of(part + "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r6, %r7, %r8, %r9}, [%r5];"),
              HasSubstr("diverged"));
  EXPECT_THAT(error_of(part + "shfl.sync.bfly.b32 %r3, %r0, 1, 31, -1;"), HasSubstr("diverged"));
  EXPECT_THAT(error_of(part + "vote.sync.ballot.b32 %r3, %p1, -1;"), HasSubstr("diverged"));
  EXPECT_THAT(error_of(part + "bar.sync 0;"), HasSubstr("diverged"));
  EXPECT_EQ(error_of(part + "bar.warp.sync 0xffffffe0;"), "");
}

TEST(PtxError, BarriersOfSeveralWarps) {
  EXPECT_THAT(error_of("setp.lt.u32 %p1, %r0, 32; @%p1 bra $A; bar.sync 0; bra $END; $A: bar.sync 0;", 64),
              HasSubstr("different barriers"));
  EXPECT_THAT(error_of("trap;"), HasSubstr("a trap"));
  EXPECT_THAT(error_of("$A: bra $A;", 1), HasSubstr("no end"));
}

// A copy lands at the wait that covers it, not before.
TEST(PtxCopies, AreLate) {
  const auto copy = [](const std::string& cache, const std::string& size) {
    return std::string(kBase) + R"(
    and.b32 %r6, %r0, 0; add.s32 %r5, %r5, %r6; mov.u32 %r7, 0; mov.u32 %r8, 1;
    st.shared.u32 [%r5], %r7; add.s64 %rd5, %rd1, -384;
    cp.async.)" +
           cache + ".shared.global [%r5], [%rd5], " + size + ", %r9; cp.async.commit_group; cp.async.wait_group ";
  };
  for (const std::string cache : {"cg", "ca"}) {
    const std::string size = cache == "cg" ? "16" : "4";
    const auto run = [&](const std::string& bytes, const std::string& pending, bool late) {
      Snippet snippet("mov.u32 %r9, " + bytes + "; " + copy(cache, size) + pending +
                      "; ld.shared.u32 %r3, [%r5]; cp.async.wait_group 0;");
      snippet.late_copies = late;
      return snippet.run(32, Words(32, 7))[0];
    };
    EXPECT_EQ(run(size, "0", true), 7u);
    EXPECT_EQ(run(size, "1", true), 0u);
    EXPECT_EQ(run(size, "1", false), 7u);
    EXPECT_EQ(run("0", "0", true), 0u);
    EXPECT_THAT(error_of("mov.u32 %r9, 16; " + copy("ca", "4") + "0;"), HasSubstr("more bytes to read"));
    EXPECT_THAT(error_of("mov.u32 %r9, 4; " + copy("cg", "4") + "0;"), HasSubstr("not known"));
    EXPECT_THAT(error_of("mov.u32 %r9, 4; " + copy(cache, size) + "1;"), HasSubstr("no wait has covered"));
  }
}

}  // namespace
}  // namespace gpueval::ptx
