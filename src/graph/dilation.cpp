// SPDX-License-Identifier: Apache-2.0
#include "graph/dilation.h"

#include <algorithm>

#include "gpueval/error.h"

namespace gpueval {
namespace {

// One axis. What is padded in front: whole rates by the convolution, the rest with the pictures.
struct PictureAxis {
  int rest = 0, front = 0;
  int picture = 0;              // rows of a picture
  int result = 0, results = 0;  // rows of the result, and of its pictures
};

PictureAxis picture_axis(int size, int kernel, int before, int after, int rate) {
  const auto divided = [rate](int count) { return (count + rate - 1) / rate; };
  PictureAxis axis{.rest = before % rate, .front = before / rate};
  axis.picture = divided(size + axis.rest);
  axis.result = size + before + after - (kernel - 1) * rate;
  axis.results = divided(axis.result);
  return axis;
}

// Rows or columns of zeros that the last window of a picture reaches behind it.
int behind(const PictureAxis& axis, int kernel) {
  return std::max(axis.results - 1 - axis.front + kernel - axis.picture, 0);
}

}  // namespace

Dilation dilation(int h, int w, const Window& window, int rate_h, int rate_w) {
  GPUEVAL_CHECK(window.stride_h == 1 && window.stride_w == 1 && rate_h >= 1 && rate_w >= 1,
                "dilation {}x{} with stride {}x{}", rate_h, rate_w, window.stride_h, window.stride_w);
  const Padding& pad = window.pad;
  const PictureAxis rows = picture_axis(h, window.kernel_h, pad.top, pad.bottom, rate_h),
                    columns = picture_axis(w, window.kernel_w, pad.left, pad.right, rate_w);
  GPUEVAL_CHECK(rows.result > 0 && columns.result > 0, "a {}x{} window of dilation {}x{} is larger than {}x{} pixels",
                window.kernel_h, window.kernel_w, rate_h, rate_w, h, w);
  // The zeros between two pictures are what is behind the one and in front of the other.
  const int gap = std::max(rows.front, behind(rows, window.kernel_h));
  Dilation result;
  result.before = {.rate_h = rate_h, .rate_w = rate_w, .pad = {.top = rows.rest, .left = columns.rest}, .gap = gap};
  result.window = {.kernel_h = window.kernel_h,
                   .kernel_w = window.kernel_w,
                   .pad = {.top = rows.front, .left = columns.front, .right = behind(columns, window.kernel_w)}};
  result.after = {.rate_h = rate_h,
                  .rate_w = rate_w,
                  .gap = rows.picture + gap - rows.results,
                  .h = rows.result,
                  .w = columns.result};
  return result;
}

std::optional<Window> dilated_window(const Dilation& parts, int h, int w) {
  const auto& [before, between, after] = parts;
  Window window = between;
  window.pad.top = before.pad.top + between.pad.top * before.rate_h;
  window.pad.left = before.pad.left + between.pad.left * before.rate_w;
  window.pad.bottom = after.h + (window.kernel_h - 1) * before.rate_h - h - window.pad.top;
  window.pad.right = after.w + (window.kernel_w - 1) * before.rate_w - w - window.pad.left;
  const bool possible =
      window.stride_h == 1 && window.stride_w == 1 && std::min(window.pad.bottom, window.pad.right) >= 0;
  if (!possible || !(dilation(h, w, window, before.rate_h, before.rate_w) == parts)) return std::nullopt;
  window.dilation_h = before.rate_h;
  window.dilation_w = before.rate_w;
  return window;
}

}  // namespace gpueval
