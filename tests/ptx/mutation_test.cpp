// SPDX-License-Identifier: Apache-2.0
// Faults planted in the PTX of a convolution must show: as other bits, or as an Error of the interpreter.
#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <regex>
#include <string>

#include "cuda/conv_row.h"
#include "cuda/runtime/tables.h"
#include "gpueval/error.h"
#include "ptx/library.h"
#include "support/runtimes.h"

namespace gpueval::ptx {
namespace {

struct Mutation {
  const char* name;
  const char* row;
  const char* pattern;  // every match in the row's file is replaced
  const char* replacement;
};
void PrintTo(const Mutation& mutation, std::ostream* out) { *out << mutation.name << " in " << mutation.row; }

constexpr Mutation kMutations[] = {
    {"WaitsForFewerCopies", "conv_s8_mma_64x64x64", R"((cp\.async\.wait_group\s+)1;)", "$012;"},
    {"NoBarrier", "conv_s8_mma_64x64x64", R"(bar\.sync\s+0;)", ""},
    {"NoBarrier", "conv_s8_dp4a_64x64x32", R"(bar\.sync\s+0;)", ""},
    {"NoBarrier", "conv_s8_dp4a_async_128x64x32", R"(bar\.sync\s+0;)", ""},
    {"FragmentsOfA", "conv_s8_mma_64x64x64", R"((mma\.sync[^{]*\{[^}]*\}, \{)(%r\d+),(%r\d+))", "$1$3,$2"},
    {"FragmentsOfB", "conv_s8_mma_64x64x64", R"((mma\.sync[^{]*\{[^}]*\}, \{[^}]*\}, \{)(%r\d+),(%r\d+))", "$1$3,$2"},
    {"AccumulatorsOfTwoRows", "conv_s8_mma_64x64x64", R"((mma\.sync[^{]*\{%r\d+,)(%r\d+),(%r\d+))", "$1$3,$2"},
    {"FragmentsOfLdmatrix", "conv_s8_mma_64x64x64", R"((ldmatrix[^{]*\{%r\d+, )(%r\d+), (%r\d+))", "$1$3, $2"},
    {"ShapeOfMma", "conv_s8_mma_m8n8k16_64x64x64", R"((mma\.sync[^{]*\{)(%r\d+),(%r\d+)\})", "$1$3,$2}"},
    {"SignedForUnsigned", "conv_s8_mma_64x64x64", R"(s32\.u8\.s8\.s32)", "s32.s8.s8.s32"},
    {"SignedForUnsigned", "conv_s8_dp4a_64x64x32", R"(dp4a\.u32\.s32)", "dp4a.s32.s32"},
    {"SumForDifference", "conv_s8_mma_64x64x64", R"(add\.s32)", "sub.s32"},
    {"RoundsToZero", "conv_s8_dp4a_64x64x32", R"(cvt\.rni\.s32\.f32)", "cvt.rzi.s32.f32"},
    {"BoundsOffByOne", "conv_s8_naive", R"(setp\.ge\.s32)", "setp.gt.s32"},
    {"BranchTheOtherWay", "conv_s8_naive", R"(@%p(\d+) bra)", "@!%p$1 bra"},
    {"CopiesZeros", "conv_s8_mma_64x64x64", R"((selp\.b32\s+%r\d+, 0, )16,)", "$010,"},
    {"OtherWordOfSharedMemory", "conv_s8_dp4a_split", R"((ld\.shared\.[a-z0-9.]+\s+[^\[]*\[%r\d+)\])", "$1+16]"},
    {"OneParity", "conv_s8_wgmma_tma_128x128x128", R"((try_wait[^;]*, )%r\d+;)", "$010;"},
    {"DoesNotWait", "conv_s8_wgmma_tma_128x128x128", R"((selp\.u32\s+%r\d+, 1, )0, over;)", "$011, over;"},
    {"TooFewBytes", "conv_s8_wgmma_tma_128x128x128", R"((expect_tx[^;]*\], )%r\d+;)", "$0116384;"},
    {"TooManyBytes", "conv_s8_wgmma_tma_128x128x128", R"((expect_tx[^;]*\], )%r\d+;)", "$0149152;"},
    {"NoArrival", "conv_s8_wgmma_tma_128x128x128", R"(mbarrier\.arrive\.shared::cta\.b64\s+_, \[%r\d+\];)", ""},
    {"NoFence", "conv_s8_wgmma_tma_128x128x128", R"(fence\.(proxy|mbarrier_init)[^;]*;)", ""},
    {"NoBarrier", "conv_s8_wgmma_tma_128x128x128", R"(bar\.sync\s+1, %r\d+;)", ""},
    {"WaitsForFewerProducts", "conv_s8_wgmma_tma_128x128x128", R"((wait_group\.sync\.aligned\s+)1;)", "$012;"},
    {"RowForColumn", "conv_s8_wgmma_tma_128x128x128", R"((cp\.async\.bulk\.tensor[^{]*\{)(%r\d+), (%r\d+))",
     "$1$3, $2"},
    {"TapRowForColumn", "conv_s8_wgmma_tma_128x128x128", R"((cp\.async\.bulk\.tensor.*\{)(%rs\d+), (%rs\d+)\};)",
     "$1$3, $2};"},
    {"OtherSwizzle", "conv_s8_wgmma_tma_128x128x128", R"(4611686293305360384)", "9223372311732748288"},
    {"SignedForUnsigned", "conv_s8_wgmma_tma_128x128x128", R"(s32\.u8\.s8)", "s32.s8.s8"},
    {"WaitsForFewerCopies", "conv_s8_wgmma_128x128x128", R"((cp\.async\.wait_group\s+)1;)", "$012;"},
    {"LessForTheSplit", "conv_s8_mma_split_64x64x64", R"(atom\.global\.add)", "atom.global.max"},
};

class PtxMutation : public testing::TestWithParam<Mutation> {
 protected:
  void SetUp() override {
    std::string why;
    runtime_ = cuda::gpu_runtime(&why);
    ASSERT_NE(runtime_, nullptr) << why;
    for (const cuda::ConvKernel& kernel : conv_kernels_of(*runtime_)) {
      if (kernel.name == std::string(GetParam().row)) kernel_ = &kernel;
    }
    ASSERT_NE(kernel_, nullptr);
  }
  void TearDown() override { emulator::set_options({}); }

  // What is wrong with a run of the row; empty: nothing.
  std::string fault(bool descending) {
    emulator::set_options({.schedule = descending ? emulator::Schedule::kDescending : emulator::Schedule::kAscending,
                           .late_copies = true});
    for (const DType src : {DType::kU8, DType::kS8}) {
      std::string found = fault("n2h7w7c80_k72r3s3_st1_pad1,1,1,1", src, 132);
      // Around the ring of stages, and a second tile of the same block.
      if (kernel_->family == cuda::ConvFamily::kWgmma) found += fault("n1h9w15c1100_k140r1s1_st1_pad0,0,0,0", src, 1);
      if (!found.empty()) return found;
    }
    return "";
  }
  std::string fault(const char* desc, DType src, int multiprocessors) {
    const cuda::ConvCase c(parse_conv_desc(desc),
                           {.src = src, .dst = DType::kS8, .residual = DType::kU8, .layout = cuda::Layout::kPadded});
    try {
      const cuda::ConvCase::Result result = c.run(*runtime_, *kernel_, multiprocessors);
      return c.compare(result.dense, c.expected()) + result.fault;
    } catch (const Error& error) {
      return error.what();
    }
  }

  cuda::Runtime* runtime_ = nullptr;
  const cuda::ConvKernel* kernel_ = nullptr;
};

TEST_P(PtxMutation, IsCaught) {
  const std::string file = GetParam().row, original = library().text_of(file);
  ASSERT_EQ(fault(false), "");
  ASSERT_EQ(fault(true), "");
  const std::string mutant = std::regex_replace(original, std::regex(GetParam().pattern), GetParam().replacement);
  ASSERT_NE(mutant, original) << "the pattern is nowhere in the PTX";
  library().add_file(file, mutant);
  const std::string ascending = fault(false), descending = fault(true);
  library().add_file(file, original);
  EXPECT_NE(ascending + descending, "");
  RecordProperty("caught", ascending.empty() ? descending : ascending);
  ASSERT_EQ(fault(false), "");
}

INSTANTIATE_TEST_SUITE_P(, PtxMutation, testing::ValuesIn(kMutations),
                         [](const auto& test) { return std::string(test.param.name) + "_" + test.param.row; });

}  // namespace
}  // namespace gpueval::ptx
