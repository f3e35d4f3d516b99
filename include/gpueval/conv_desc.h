// SPDX-License-Identifier: Apache-2.0
// The shape of one convolution, with one text form used by logs, tests, benchmarks and repro lines:
//   n1h56w56c64_k64r3s3_st1_pad1,1,1,1          stride 1, padding top,bottom,left,right
//   n1h56w56c64_k64r1s7_st2x1_pad0,0,3,3        stride 2 (rows) x 1 (columns)
//   n1h112w112c32_dw_r3s3_st2_pad0,1,0,1        depthwise: k = c, multiplier 1
//   n1h14w14c160_k160g10r3s3_st1_pad1,1,1,1     10 groups of 16 channels and 16 output channels
//   n1h19w19c512_k1024r3s3_st1_dil6_pad6,6,6,6  every 6th row and column of the source; dil6x1: of its rows alone
// A dense layer of C inputs and K outputs is n1h1w1cC_kKr1s1_st1_pad0,0,0,0.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gpueval {

struct Padding {
  int top = 0, bottom = 0, left = 0, right = 0;
  bool operator==(const Padding&) const = default;
};

// Sliding window over rows and columns.
struct Window {
  int kernel_h = 1, kernel_w = 1;
  int stride_h = 1, stride_w = 1;
  Padding pad;
  // Rows and columns from one kernel position to the next. Only what join_dilations (src/graph/passes.h) made has more
  // than 1.
  int dilation_h = 1, dilation_w = 1;
  bool dilated() const { return dilation_h > 1 || dilation_w > 1; }
  // Rows and columns from the first kernel position to the last, both included.
  int reach_h() const { return (kernel_h - 1) * dilation_h + 1; }
  int reach_w() const { return (kernel_w - 1) * dilation_w + 1; }
  // 0 where the window is larger than what it slides over.
  int out_h(int h) const { return positions(h + pad.top + pad.bottom - reach_h(), stride_h); }
  int out_w(int w) const { return positions(w + pad.left + pad.right - reach_w(), stride_w); }
  static constexpr int positions(int room, int stride) { return room < 0 ? 0 : room / stride + 1; }
  bool operator==(const Window&) const = default;
};

// TensorFlow SAME padding of one axis: total = max((ceil(n/s)-1)*s + k - n, 0), the smaller half first.
struct SamePadding {
  int before, after;
};
SamePadding same_padding(int n, int kernel, int stride);

struct ConvDesc {
  int n = 1, h = 1, w = 1, c = 1;
  int k = 1;  // output channels; equals c if depthwise
  Window window;
  bool depthwise = false;
  int groups = 1;  // equal parts of c and of k: an output channel reads its own part alone. 1 if depthwise

  int p() const { return window.out_h(h); }
  int q() const { return window.out_w(w); }
  std::int64_t output_pixels() const { return std::int64_t{n} * p() * q(); }
  int group_channels() const { return c / groups; }
  // Products summed in one output element: kernel_h * kernel_w * c / groups (without c if depthwise).
  std::int64_t depth() const {
    return std::int64_t{window.kernel_h} * window.kernel_w * (depthwise ? 1 : group_channels());
  }
  // Multiply-adds, counting padded taps as well (the convention of published figures).
  std::int64_t multiply_adds() const { return output_pixels() * k * depth(); }
  bool operator==(const ConvDesc&) const = default;
};
std::string to_string(const ConvDesc& desc);
ConvDesc parse_conv_desc(std::string_view text);  // throws Error naming the text and what was expected

}  // namespace gpueval
