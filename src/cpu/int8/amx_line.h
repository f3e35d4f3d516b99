// SPDX-License-Identifier: Apache-2.0
// The geometry of convolutions on matrix tiles (amx_conv.h), pure functions of the shape. A tile row is one output
// pixel, and a tile load takes 16 of them at one constant distance: the source is seen as one long line of pixels, in
// which output pixel (n, p, q) has position n * height * width + p * width + q and every kernel position a constant
// offset. `height` and `width` are those of the bordered image, so that some positions are no output pixel: they are
// computed if a tile cannot step over them, and not stored. A stride splits the image into one line per phase of rows
// and columns, each of which is read without stride.
#pragma once

#include <cstdint>
#include <vector>

#include "gpueval/conv_desc.h"

namespace gpueval::cpu {

constexpr int kAmxRows = 16;   // pixels of a tile
constexpr int kAmxLanes = 16;  // output channels of a tile
constexpr int kAmxDepth = 64;  // source bytes of a tile row

// The depth in steps of equal width: `chunks` for each kernel position. The last chunk ends with the last channel and
// overlaps the one before it (its weights there are zeros), so that no load leaves the pixel.
struct AmxDepth {
  int chunks = 1, width = 4;  // width: channels, a multiple of 4
  int start(int chunk, int channels) const { return chunk + 1 < chunks ? chunk * width : channels - width; }
};
AmxDepth amx_depth(int channels);

struct AmxTile {
  std::int64_t start = 0;          // position of row 0
  std::int64_t pixel[kAmxRows]{};  // output pixel of each row, -1: not stored
};

// The shape whose line has stride_w columns of `desc` side by side as one pixel, of stride_w * c channels. A kernel row
// is a run of kernel_w * c of them, which may reach into the pixels behind.
ConvDesc merge_columns(const ConvDesc& desc);

class AmxLine {
 public:
  AmxLine() = default;
  explicit AmxLine(const ConvDesc& desc);

  int planes() const { return phases_h_ * phases_w_; }
  int phases_w() const { return phases_w_; }
  int height() const { return height_; }
  int width() const { return width_; }
  // The caller's tensor is such a line already: nothing to copy.
  bool in_place() const { return in_place_; }
  // Offset in pixels of kernel position (r, s) in the line of `images` images.
  std::int64_t tap_offset(int r, int s, std::int64_t images) const;
  std::int64_t tiles(std::int64_t images) const;
  int rows(std::int64_t images) const;  // of every tile
  AmxTile tile(std::int64_t index, std::int64_t images) const;

 private:
  bool dense() const { return height_ == p_ && width_ == q_; }  // every position is an output pixel
  std::int64_t length(std::int64_t images) const {
    return (images - 1) * height_ * width_ + std::int64_t{p_ - 1} * width_ + q_;
  }

  int p_ = 1, q_ = 1, stride_h_ = 1, stride_w_ = 1, dilation_h_ = 1, dilation_w_ = 1;
  int phases_h_ = 1, phases_w_ = 1, height_ = 1, width_ = 1;
  bool in_place_ = false;
  std::vector<std::int64_t> starts_;  // first stored position of each tile of one image; unused if dense
};

// Whether tiles are quicker than vectors for this shape and number of images, as measured on shapes of five networks.
// Not on few pixels, as in a dense layer of few images, where the weights are read once and limit both, nor on depth
// steps that leave most of a tile row empty.
bool amx_pays(const ConvDesc& desc);

}  // namespace gpueval::cpu
