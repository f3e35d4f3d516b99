// SPDX-License-Identifier: Apache-2.0
// mbarriers, bulk copies and barriers of some warps: their values, and what the interpreter refuses. Warp 1 copies
// words that %rd1 - 256 ... hold (the third input) to shared memory, warp 0 reads them. Tensors and wgmma are tested by
// the convolutions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gpueval/error.h"
#include "ptx/snippet.h"

namespace gpueval::ptx {
namespace {

using testing::HasSubstr;

// Pieces of the pipeline; each fault replaces one.
struct Pipeline {
  std::string count = "1", fence = "fence.mbarrier_init.release.cluster; fence.proxy.async.shared::cta;",
              block_barrier = "bar.sync 0;", bytes = "128", expected = "128", parity = "0", to = "0",
              wait = "@!%p3 bra $WAIT;";

  std::string text() const {
    return "mov.u32 %r5, gpueval_shared_arena; add.s32 %r6, %r5, 512; mov.u32 %r10, " + count + "; mov.u32 %r11, " +
           bytes + "; mov.u32 %r12, " + expected + "; mov.u32 %r13, " + parity + "; add.s32 %r7, %r5, " + to + R"(;
      mov.u32 %r8, %tid.x;
      setp.ne.s32 %p1, %r8, 32; @%p1 bra $MADE;
      mbarrier.init.shared::cta.b64 [%r6], %r10;)" +
           fence + "$MADE: " + block_barrier + R"(
      setp.ne.s32 %p1, %r8, 32; @%p1 bra $COPIED;
      mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r6], %r12;
      add.s64 %rd5, %rd1, -256;
      cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%r7], [%rd5], %r11, [%r6];
      $COPIED: setp.ge.u32 %p2, %r8, 32; @%p2 bra $END;
      $WAIT: mbarrier.try_wait.parity.shared::cta.b64 %p3, [%r6], %r13;)" +
           wait + "shl.b32 %r9, %r8, 2; add.s32 %r9, %r7, %r9; ld.shared.u32 %r3, [%r9];";
  }
  // Words that the first warp finds; what is wrong otherwise.
  std::string run() const {
    std::string faults;
    for (const bool late : {true, false}) {
      for (const bool descending : {true, false}) {
        Words third(64);
        for (std::uint32_t i = 0; i < 64; ++i) third[i] = 3 * i + 1;
        try {
          Snippet snippet(text());
          snippet.late_copies = late;
          snippet.descending = descending;
          const Words out = snippet.run(64, {}, {}, third);
          for (std::uint32_t i = 0; i < 32; ++i) {
            if (out[i] != third[i]) faults += "another word\n";
          }
        } catch (const Error& error) {
          faults += std::string(error.what()) + "\n";
        }
      }
    }
    return faults;
  }
};

TEST(PtxBulkCopy, ComesBeforeTheWaitIsOver) { EXPECT_EQ(Pipeline().run(), ""); }

TEST(PtxBulkCopy, SeesFaults) {
  EXPECT_THAT(Pipeline{.count = "2"}.run(), HasSubstr("a deadlock: waits for an mbarrier"));
  EXPECT_THAT(Pipeline{.count = "0"}.run(), HasSubstr("an impossible number of arrivals"));
  EXPECT_THAT(Pipeline{.fence = ""}.run(), HasSubstr("without a fence for the asynchronous proxy"));
  EXPECT_THAT(Pipeline{.block_barrier = ""}.run(), HasSubstr("no mbarrier there, or not yet"));
  EXPECT_THAT(Pipeline{.bytes = "120"}.run(), HasSubstr("no multiple of 16"));
  EXPECT_THAT(Pipeline{.bytes = "1024"}.run(), HasSubstr("behind the end of an allocation"));
  EXPECT_THAT(Pipeline{.expected = "112"}.run(), HasSubstr("a deadlock"));
  EXPECT_THAT(Pipeline{.expected = "144"}.run(), HasSubstr("a deadlock"));
  EXPECT_THAT(Pipeline{.parity = "1"}.run(), HasSubstr("where a bulk copy is on its way to"));
  EXPECT_THAT(Pipeline{.parity = "2"}.run(), HasSubstr("a parity other than 0 and 1"));
  EXPECT_THAT(Pipeline{.to = "8"}.run(), HasSubstr("misaligned"));
  EXPECT_THAT(Pipeline{.to = "1008"}.run(), HasSubstr("a copy beyond shared memory"));
  EXPECT_THAT(Pipeline{.wait = ""}.run(), HasSubstr("where a bulk copy is on its way to"));
}

TEST(PtxBulkCopy, BarriersOfSomeWarps) {
  const auto run = [](const std::string& threads, unsigned warps) -> std::string {
    Snippet snippet(
        "mov.u32 %r5, gpueval_shared_arena; mov.u32 %r4, %tid.x; shl.b32 %r6, %r4, 2; add.s32 %r6, %r5, %r6;"
        "setp.ge.u32 %p1, %r4, 64; @%p1 bra $END; st.shared.u32 [%r6], %r0; bar.sync 3, " +
        threads +
        "; xor.b32 %r7, %r4, 32; shl.b32 %r7, %r7, 2; add.s32 %r7, %r5, %r7; "
        "ld.shared.u32 %r3, [%r7];");
    Words input(32 * warps);
    for (std::uint32_t i = 0; i < input.size(); ++i) input[i] = 7 * i;
    try {
      const Words out = snippet.run(32 * warps, input);
      for (std::uint32_t i = 0; i < 64; ++i) {
        if (out[i] != input[i ^ 32]) return "another word";
      }
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(run("64", 3), "");
  EXPECT_THAT(run("32", 3), HasSubstr("more threads at a barrier than it counts"));
  EXPECT_THAT(run("96", 3), HasSubstr("a deadlock: waits at a barrier"));
}

}  // namespace
}  // namespace gpueval::ptx
