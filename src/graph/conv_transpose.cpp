// SPDX-License-Identifier: Apache-2.0
#include "graph/conv_transpose.h"

#include <algorithm>

#include "gpueval/error.h"

namespace gpueval {
namespace {

int taps(int kernel, int stride) { return (kernel + stride - 1) / stride; }

// One axis. Uncut, row Y of the result is the sum of source row i times tap k over Y = i * stride + k: row Y / stride
// of the convolution's rows, Y % stride within the block. `cut` rows in front of the result are then left out.
struct UpsampledAxis {
  int result = 0;
  int before = 0, after = 0;            // padding of the convolution
  int crop_before = 0, crop_after = 0;  // of what it makes
};

// As many as keras.src.backend.common.backend_utils._get_output_shape_given_tf_padding says.
int result_rows(int size, int kernel, int stride, Pad pad, std::optional<int> output_padding) {
  if (!output_padding) return size * stride + (pad == Pad::kSame ? 0 : std::max(kernel - stride, 0));
  return (size - 1) * stride + kernel - (pad == Pad::kSame ? 2 * (kernel / 2) : 0) + *output_padding;
}

UpsampledAxis upsampled_axis(int size, int kernel, int stride, Pad pad, std::optional<int> output_padding) {
  UpsampledAxis axis{.result = result_rows(size, kernel, stride, pad, output_padding)};
  // The result's padding under the convolution whose gradient this is.
  const int cut = pad == Pad::kSame ? std::max((size - 1) * stride + kernel - axis.result, 0) / 2 : 0;
  const int first = cut / stride, last = (cut + axis.result - 1) / stride;
  const int reach = taps(kernel, stride) - 1;
  axis.before = reach - first;
  axis.after = std::max(last + 1 - size, 0);
  axis.crop_before = cut % stride;
  const int rows = size + axis.before + axis.after - reach;
  axis.crop_after = rows * stride - axis.crop_before - axis.result;
  return axis;
}

}  // namespace

ConvTranspose conv_transpose(int h, int w, const TransposedWindow& window) {
  const UpsampledAxis rows = upsampled_axis(h, window.kernel_h, window.stride_h, window.pad, window.output_padding_h),
                      columns =
                          upsampled_axis(w, window.kernel_w, window.stride_w, window.pad, window.output_padding_w);
  GPUEVAL_CHECK(rows.result > 0 && columns.result > 0,
                "a transposed {}x{} window of stride {}x{} makes nothing of {}x{}", window.kernel_h, window.kernel_w,
                window.stride_h, window.stride_w, h, w);
  ConvTranspose result{.block_channels = window.stride_h * window.stride_w, .h = rows.result, .w = columns.result};
  result.window = {.kernel_h = taps(window.kernel_h, window.stride_h),
                   .kernel_w = taps(window.kernel_w, window.stride_w),
                   .pad = {rows.before, rows.after, columns.before, columns.after}};
  result.after = {.block_h = window.stride_h,
                  .block_w = window.stride_w,
                  .crop = {rows.crop_before, rows.crop_after, columns.crop_before, columns.crop_after}};
  return result;
}

std::vector<float> transposed_kernel(const std::vector<float>& kernel, const TransposedWindow& window, int in,
                                     int out) {
  GPUEVAL_CHECK(std::ssize(kernel) == std::int64_t{window.kernel_h} * window.kernel_w * out * in,
                "{} weights for a {}x{} window, {} channels to {}", kernel.size(), window.kernel_h, window.kernel_w, in,
                out);
  const int rows = taps(window.kernel_h, window.stride_h), columns = taps(window.kernel_w, window.stride_w);
  const std::int64_t pixels = std::int64_t{window.stride_h} * window.stride_w;
  std::vector<float> result(static_cast<std::size_t>(std::int64_t{rows} * columns * in * pixels * out), 0.0f);
  std::size_t from = 0;
  for (int r = 0; r < window.kernel_h; ++r) {
    for (int s = 0; s < window.kernel_w; ++s) {
      // The further a tap reaches, the further in front is the source row that it multiplies.
      const int tap_h = rows - 1 - r / window.stride_h, tap_w = columns - 1 - s / window.stride_w;
      const int pixel = r % window.stride_h * window.stride_w + s % window.stride_w;
      for (int k = 0; k < out; ++k) {
        for (int c = 0; c < in; ++c) {
          const std::int64_t tap = (std::int64_t{tap_h} * columns + tap_w) * in + c;
          result[static_cast<std::size_t>((tap * pixels + pixel) * out + k)] = kernel[from++];
        }
      }
    }
  }
  return result;
}

std::vector<float> for_each_block_pixel(const std::vector<float>& channels, int block_channels) {
  std::vector<float> result;
  for (int i = 0; i < block_channels; ++i) result.insert(result.end(), channels.begin(), channels.end());
  return result;
}

}  // namespace gpueval
