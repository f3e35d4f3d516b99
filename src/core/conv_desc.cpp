// SPDX-License-Identifier: Apache-2.0
#include "gpueval/conv_desc.h"

#include <algorithm>
#include <charconv>

#include "gpueval/error.h"

namespace gpueval {
namespace {

// Reads "n1h56..." piece by piece; every failure names the whole text.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text), rest_(text) {}
  bool accept(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  void expect(std::string_view word) {
    if (!accept(word)) error(word);
  }
  int number(int lowest) {
    int value = 0;
    const auto [end, code] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (code != std::errc() || value < lowest) error("a number");
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
  }
  int field(std::string_view word, int lowest = 1) {
    expect(word);
    return number(lowest);
  }
  void end() {
    if (!rest_.empty()) error("the end");
  }

 private:
  [[noreturn]] void error(std::string_view expected) const {
    fail("convolution '{}': expected {} at '{}' (form: n1h56w56c64_k64r3s3_st1_pad1,1,1,1)", text_, expected, rest_);
  }
  std::string_view text_, rest_;
};

// Of rows and columns: one number where they are equal.
std::string pair_text(int h, int w) { return h == w ? fmt::format("{}", h) : fmt::format("{}x{}", h, w); }

}  // namespace

SamePadding same_padding(int n, int kernel, int stride) {
  const int out = (n + stride - 1) / stride;
  const int total = std::max((out - 1) * stride + kernel - n, 0);
  return {total / 2, total - total / 2};
}

std::string to_string(const ConvDesc& desc) {
  const Window& w = desc.window;
  const std::string filters = desc.depthwise    ? "dw_"
                              : desc.groups > 1 ? fmt::format("k{}g{}", desc.k, desc.groups)
                                                : fmt::format("k{}", desc.k);
  const std::string dilation = w.dilated() ? "_dil" + pair_text(w.dilation_h, w.dilation_w) : "";
  return fmt::format("n{}h{}w{}c{}_{}r{}s{}_st{}{}_pad{},{},{},{}", desc.n, desc.h, desc.w, desc.c, filters, w.kernel_h,
                     w.kernel_w, pair_text(w.stride_h, w.stride_w), dilation, w.pad.top, w.pad.bottom, w.pad.left,
                     w.pad.right);
}

ConvDesc parse_conv_desc(std::string_view text) {
  Parser in(text);
  ConvDesc desc;
  Window& w = desc.window;
  desc.n = in.field("n");
  desc.h = in.field("h");
  desc.w = in.field("w");
  desc.c = in.field("c");
  in.expect("_");
  desc.depthwise = in.accept("dw_");
  desc.k = desc.depthwise ? desc.c : in.field("k");
  if (!desc.depthwise && in.accept("g")) desc.groups = in.number(1);
  w.kernel_h = in.field("r");
  w.kernel_w = in.field("s");
  w.stride_h = in.field("_st");
  w.stride_w = in.accept("x") ? in.number(1) : w.stride_h;
  if (in.accept("_dil")) {
    w.dilation_h = in.number(1);
    w.dilation_w = in.accept("x") ? in.number(1) : w.dilation_h;
  }
  w.pad.top = in.field("_pad", 0);
  w.pad.bottom = in.field(",", 0);
  w.pad.left = in.field(",", 0);
  w.pad.right = in.field(",", 0);
  in.end();
  if (desc.c % desc.groups != 0 || desc.k % desc.groups != 0) {
    fail("convolution '{}': {} groups divide neither {} channels nor {}", text, desc.groups, desc.c, desc.k);
  }
  if (desc.p() < 1 || desc.q() < 1) {
    fail("convolution '{}': the kernel is larger than the padded input", text);
  }
  return desc;
}

}  // namespace gpueval
