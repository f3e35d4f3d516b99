// SPDX-License-Identifier: Apache-2.0
#include "cuda/engine/conv_source.h"

#include "cuda/conv/pack.h"

namespace gpueval::cuda {
namespace {

constexpr int kVector = 16;  // bytes

int kernel_pitch(int channels) { return channels <= 4 ? 4 : round_up(channels, kVector); }

}  // namespace

ConvSource::ConvSource(const StepContext& context) : ops_(ops_of(context.runtime)), node_(context.self().inputs[0]) {
  const Shape& shape = context.input(0).shape;
  const TensorPlacement& place = context.placement(node_);
  const bool one_pixel = shape.h * shape.w == 1;
  flatten_ = std::holds_alternative<Dense>(context.self().op) && !one_pixel;
  channels_ = flatten_ ? shape.h * shape.w * shape.c : shape.c;
  const ConvDesc desc = *conv_desc(context.graph, context.node);
  if (context.input(0).type.zero_point != 0 && !desc.depthwise) padding_ = desc.window.pad;
  const bool aligned_start = place.offset % kVector == 0;
  if (flatten_) {
    copy_ = !(aligned_start && place.pitch == shape.c && channels_ % kVector == 0);
  } else {
    copy_ = padding_ != Padding{} ||
            !(aligned_start && (place.pitch % kVector == 0 || (place.pitch == 4 && channels_ <= 4)));
  }
  if (!copy_) {
    pitch_ = flatten_ ? channels_ : static_cast<int>(place.pitch);
    return;
  }
  pitch_ = kernel_pitch(channels_);
  const std::int64_t pixels = flatten_ ? 1 : padded(shape).pixels();
  context.scratch.need(static_cast<std::size_t>(pixels * context.batch * pitch_));
}

const void* ConvSource::prepare(const Pass& pass) const {
  const DeviceView src = pass.view(node_);
  if (!copy_) return src.data;
  if (flatten_) {
    copy_images(src, pass);
  } else {
    const DeviceView to{pass.tensors.scratch(pass.lane), src.dtype, padded(src.shape), pitch_};
    if (padding_ != Padding{}) ops_.fill(to, src.zero_point, pass.stream);
    ops_.copy(src, to, padding_.top, padding_.left, pass.stream);
  }
  return pass.tensors.scratch(pass.lane);
}

Shape ConvSource::padded(Shape shape) const {
  shape.h += padding_.top + padding_.bottom;
  shape.w += padding_.left + padding_.right;
  return shape;
}

ConvDesc ConvSource::described(ConvDesc desc) const {
  if (padding_ == Padding{}) return desc;
  desc.h += padding_.top + padding_.bottom;
  desc.w += padding_.left + padding_.right;
  desc.window.pad = {};
  return desc;
}

// Image by image: a map's pixels lie without gaps in its row, the rows have gaps.
void ConvSource::copy_images(const DeviceView& src, const Pass& pass) const {
  Shape image = src.shape;
  image.n = 1;
  auto* from = static_cast<std::byte*>(src.data);
  auto* to = static_cast<std::byte*>(pass.tensors.scratch(pass.lane));
  for (int i = 0; i < pass.n; ++i) {
    ops_.copy({from, src.dtype, image, src.pitch}, {to, src.dtype, image, image.c}, 0, 0, pass.stream);
    from += image.pixels() * src.pitch;
    to += pitch_;
  }
}

}  // namespace gpueval::cuda
