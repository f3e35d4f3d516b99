// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <memory>

#include "cuda/selftest/check.h"
#include "cuda/selftest/conv_case.h"
#include "gpueval/error.h"

namespace gpueval::cuda {
namespace {

constexpr DType kU8 = DType::kU8, kS8 = DType::kS8, kF32 = DType::kF32;
constexpr auto kTight = Layout::kTight, kPadded = Layout::kPadded, kSlices = Layout::kSlices, kOdd = Layout::kOddSlices;
constexpr std::nullopt_t kNone = std::nullopt;

struct Problem {
  const char* desc;
  DType src, dst;
  std::optional<DType> residual;
  Layout layout;
  bool dynamic = false;
  int missing_images = 0;
  float saturation = 1;
  std::optional<Window> pool = {};
};

constexpr Window window(int kernel, int stride, Padding pad = {}) {
  return {.kernel_h = kernel, .kernel_w = kernel, .stride_h = stride, .stride_w = stride, .pad = pad};
}

// Every row finds several that it does: any convolution, dense layers (gemv), deep ones (split), first layers,
// depthwise. The largest tile is 256 pixels by 128 channels; the deepest pipeline holds some hundred bytes of depth.
const Problem kProblems[] = {
    // pointwise: one element; remainders of all tiles; more than the largest tile; deep
    {"n1h1w1c1_k1r1s1_st1_pad0,0,0,0", kU8, kU8, kNone, kTight},
    {"n1h7w9c17_k31r1s1_st1_pad0,0,0,0", kS8, kS8, kS8, kPadded},
    {"n1h17w17c128_k136r1s1_st1_pad0,0,0,0", kU8, kU8, kU8, kPadded},
    {"n2h5w13c65_k127r1s1_st1_pad0,0,0,0", kU8, kF32, kU8, kOdd},
    {"n1h4w5c728_k130r1s1_st1_pad0,0,0,0", kS8, kS8, kNone, kSlices},
    {"n1h14w14c64_k128r1s1_st2_pad0,0,0,0", kU8, kU8, kNone, kTight},
    // dense layers
    {"n1h1w1c2500_k40r1s1_st1_pad0,0,0,0", kU8, kF32, kNone, kTight},
    {"n3h1w1c520_k1000r1s1_st1_pad0,0,0,0", kS8, kF32, kNone, kPadded},
    {"n8h1w1c300_k130r1s1_st1_pad0,0,0,0", kU8, kU8, kU8, kSlices},
    {"n17h1w1c96_k70r1s1_st1_pad0,0,0,0", kS8, kU8, kS8, kOdd},
    {"n5h1w1c400_k70r1s1_st1_pad0,0,0,0", kS8, kS8, kNone, kPadded, true, 2},
    // windows: padding on all, one and no side, strides, long and wide ones, a window larger than the image
    {"n1h6w6c128_k136r3s3_st1_pad1,1,1,1", kS8, kU8, kU8, kSlices},
    {"n1h7w7c160_k72r3s3_st1_pad1,1,1,1", kU8, kF32, kS8, kPadded},
    {"n2h9w7c12_k20r3s3_st2_pad1,1,1,1", kU8, kS8, kNone, kOdd},
    {"n1h8w8c20_k64r3s3_st2_pad0,1,0,1", kU8, kU8, kS8, kTight},
    {"n1h9w9c16_k48r7s1_st1_pad3,3,0,0", kS8, kS8, kU8, kTight},
    {"n1h9w9c16_k48r1s7_st1_pad0,0,3,3", kU8, kF32, kNone, kOdd},
    {"n1h6w9c8_k16r3s3_st2x1_pad1,1,0,0", kS8, kU8, kNone, kTight},
    {"n1h3w3c5_k5r5s5_st1_pad3,3,3,3", kU8, kU8, kNone, kPadded},
    {"n3h7w7c64_k64r3s3_st1_pad1,1,1,1", kU8, kU8, kNone, kPadded},
    {"n5h6w6c40_k70r3s3_st1_pad1,1,1,1", kS8, kF32, kU8, kPadded, true, 3},
    {"n1h7w7c64_k80r3s3_st1_pad1,1,1,1", kU8, kS8, kNone, kTight, false, 0, 1e9f},  // beyond what an int32 holds
    // first layers
    {"n1h32w31c3_k32r3s3_st2_pad0,1,0,1", kU8, kU8, kNone, kTight},
    {"n1h30w30c3_k64r7s7_st2_pad3,3,3,3", kS8, kS8, kNone, kTight},
    {"n1h20w20c3_k72r3s3_st1_pad1,1,1,1", kU8, kU8, kNone, kPadded},
    {"n2h11w13c3_k16r3s3_st2_pad0,0,0,0", kS8, kF32, kS8, kOdd},
    {"n1h9w9c4_k8r3s3_st1_pad1,1,1,1", kU8, kS8, kU8, kSlices},
    {"n3h9w9c3_k32r3s3_st1_pad1,1,1,1", kS8, kU8, kNone, kTight, true, 1},
    // first layers with a pool: tiles' remainders, borders on all sides, gaps, windows that overlap by two
    {"n1h61w45c3_k64r7s7_st2_pad3,3,3,3", kU8, kU8, kNone, kPadded, false, 0, 1, window(3, 2, {1, 1, 1, 1})},
    {"n2h39w50c3_k64r3s3_st2_pad0,0,0,0", kS8, kU8, kNone, kTight, false, 0, 1, window(3, 2)},
    {"n1h19w23c4_k70r3s3_st1_pad1,1,1,1", kU8, kS8, kNone, kOdd, false, 0, 1, window(2, 3, {1, 0, 0, 1})},
    {"n1h22w17c1_k24r5s5_st1_pad2,2,2,2", kS8, kS8, kNone, kSlices, false, 0, 1, window(3, 1, {1, 1, 1, 1})},
    {"n3h14w15c2_k130r3s3_st1_pad1,1,1,1", kS8, kU8, kNone, kPadded, true, 1, 1, window(2, 2)},
    // several tiles a block
    {"n640h5w6c3_k16r3s3_st1_pad0,0,0,0", kU8, kU8, kNone, kPadded, false, 0, 1, window(2, 1)},
    // depthwise
    {"n1h12w11c8_dw_r3s3_st1_pad1,1,1,1", kU8, kU8, kNone, kTight},
    {"n1h8w8c63_dw_r3s3_st1_pad1,1,1,1", kS8, kS8, kS8, kOdd},
    {"n2h3w40c32_dw_r3s3_st2_pad1,0,1,0", kU8, kS8, kNone, kPadded},
    {"n1h13w23c65_dw_r3s3_st2_pad1,1,1,1", kS8, kF32, kU8, kSlices},
    {"n1h5w5c728_dw_r3s3_st1_pad1,1,1,1", kU8, kF32, kNone, kPadded},
    {"n2h11w15c128_dw_r3s3_st1_pad1,1,1,1", kU8, kU8, kNone, kTight},  // whole warps inside the image
    {"n1h19w21c128_dw_r3s3_st2_pad0,1,0,1", kS8, kS8, kNone, kTight},
    {"n1h7w7c24_dw_r5s5_st1_pad2,2,2,2", kU8, kU8, kU8, kTight},
    {"n1h9w9c70_dw_r1s7_st1_pad0,0,3,3", kS8, kS8, kNone, kOdd},
    {"n3h7w7c72_dw_r3s3_st1_pad1,1,1,1", kS8, kU8, kNone, kPadded, true, 1},
};

struct Prepared {
  ConvCase data;
  std::vector<std::uint8_t> expected;
};

// The reference is made once for all rows.
const Prepared& prepared(std::size_t index) {
  static std::map<std::size_t, std::unique_ptr<Prepared>> all;
  std::unique_ptr<Prepared>& found = all[index];
  if (found) return *found;
  const Problem& p = kProblems[index];
  ConvCase data(parse_conv_desc(p.desc), {.src = p.src,
                                          .dst = p.dst,
                                          .residual = p.residual,
                                          .dynamic = p.dynamic,
                                          .layout = p.layout,
                                          .missing_images = p.missing_images,
                                          .saturation = p.saturation,
                                          .seed = 3 * (index + 1),  // a multiple of 3: runs twice
                                          .pool = p.pool});
  std::vector<std::uint8_t> expected = data.expected();
  found = std::make_unique<Prepared>(Prepared{std::move(data), std::move(expected)});
  return *found;
}

ConvProblem planned(const Problem& p) {
  return problem_of(parse_conv_desc(p.desc),
                    {.src = p.src, .dst = p.dst, .residual = p.residual, .layout = p.layout, .pool = p.pool});
}

}  // namespace

CheckResult check_conv_kernel(Runtime& runtime, const ConvKernel& kernel) {
  CheckResult result;
  for (std::size_t i = 0; i < std::size(kProblems); ++i) {
    if (!kernel.does(planned(kProblems[i]))) continue;
    const auto& [data, expected] = prepared(i);
    ++result.cases;
    try {
      const DeviceProperties& device = runtime.properties();
      const bool overlaps = device.sm >= 90 && result.cases % 2 == 1;
      const ConvCase::Result found = data.run(runtime, kernel, device.multiprocessors, overlaps);
      std::string what = data.compare(found.dense, expected);
      if (what.empty()) what = found.fault;
      if (what.empty()) continue;
      result.failure = fmt::format("{}: {}", data.describe(), what);
      return result;
    } catch (const Error& error) {
      throw Error(fmt::format("{}: {}", data.describe(), error.what()));
    }
  }
  if (result.cases == 0) result.failure = "it does none of the self-test's problems (cuda/selftest/conv_check.cpp)";
  return result;
}

}  // namespace gpueval::cuda
