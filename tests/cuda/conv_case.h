// SPDX-License-Identifier: Apache-2.0
// One integer convolution with random data, run by a kernel on a device and by the reference.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/random.h"
#include "cuda/conv/pack.h"
#include "cuda/runtime/runtime.h"
#include "reference/reference.h"

namespace gpueval::cuda {

// How the tensors lie in memory. Sources and their slices are always 16-byte aligned (conv_kernel.h).
enum class Layout {
  kTight,      // pitches = channels; a first layer's source has a pitch of 4
  kPadded,     // pitches rounded up to 16
  kSlices,     // 16-byte aligned slices of wider tensors
  kOddSlices,  // destination and residual begin and end anywhere
};
inline constexpr int kLayouts = 4;

struct CaseOptions {
  DType src = DType::kU8, dst = DType::kU8;
  std::optional<DType> residual;
  bool dynamic = false;  // a scale for each image instead of m
  Layout layout = Layout::kTight;
  int missing_images = 0;  // of the planned batch, desc.n
  float saturation = 1;    // scales m: above 1 most outputs are clamped
  std::uint64_t seed = 1;
};

// A tensor's channels within its pixels, in elements.
struct Slice {
  int offset = 0, pitch = 0;
};

// A first layer's pixels of four bytes.
inline bool packed_source(const ConvDesc& desc, Layout layout) {
  return desc.c <= 4 && (layout == Layout::kTight || layout == Layout::kOddSlices);
}
inline Slice src_slice(const ConvDesc& desc, Layout layout) {
  const bool wide = layout == Layout::kSlices || layout == Layout::kOddSlices;
  if (packed_source(desc, layout)) return {.offset = 0, .pitch = wide ? 8 : 4};
  const int channels = round_up(desc.c, 16);
  return wide ? Slice{.offset = 16, .pitch = channels + 48} : Slice{.offset = 0, .pitch = channels};
}
// Destination (shift 1) or residual (shift 2).
inline Slice output_slice(const ConvDesc& desc, Layout layout, int shift) {
  const int padded = round_up(desc.k, 16);
  switch (layout) {
    case Layout::kTight:
      return {.offset = 0, .pitch = desc.k};
    case Layout::kPadded:
      return {.offset = 0, .pitch = padded};
    case Layout::kSlices:
      return {.offset = 16 * shift, .pitch = padded + 16 * shift + 16};
    default:
      return {.offset = 2 + shift, .pitch = desc.k + 7 + shift};
  }
}
inline ConvProblem problem_of(const ConvDesc& desc, const CaseOptions& options) {
  return {.desc = desc,
          .src = options.src,
          .dst = options.dst,
          .residual = options.residual,
          .src_pitch = src_slice(desc, options.layout).pitch,
          .dst_pitch = output_slice(desc, options.layout, 1).pitch,
          .residual_pitch = options.residual ? output_slice(desc, options.layout, 2).pitch : 0};
}

struct ConvCase {
  ConvDesc desc;
  CaseOptions options;
  reference::QuantTensor src, residual;
  std::vector<std::int8_t> weights;
  std::vector<float> m, b, image_scale;
  float lo = 0, hi = 0;
  static constexpr float kResidualScale = 0.37f;

  ConvCase(const ConvDesc& d, const CaseOptions& o)
      : desc(d), options(o), src(o.src, {d.n, d.h, d.w, d.c}), residual(o.residual.value_or(DType::kU8), {}) {
    Random random(o.seed);
    fill(src, random);
    if (o.residual) {
      residual = reference::QuantTensor(*o.residual, {d.n, d.p(), d.q(), d.k});
      fill(residual, random);
    }
    weights.resize(static_cast<std::size_t>(d.k * d.depth()));
    for (auto& value : weights) value = static_cast<std::int8_t>(random.integer(-127, 127));
    // Sums of depth products spread over about the output's range.
    const double spread = 74.0 * 74.0 * std::sqrt(static_cast<double>(d.depth())) * 2;
    for (int k = 0; k < d.k; ++k) {
      m.push_back(static_cast<float>(random.uniform(0.3, 1.5) * 128 / spread * o.saturation));
      b.push_back(static_cast<float>(random.uniform(-60, 160)));
    }
    for (int i = 0; i < d.n; ++i) image_scale.push_back(static_cast<float>(random.uniform(0.3, 1.5) * 128 / spread));
    const bool relu = random.integer(0, 1) == 1;
    if (o.dst == DType::kF32) {
      lo = relu ? 0.0f : -std::numeric_limits<float>::infinity();
      hi = std::numeric_limits<float>::infinity();
    } else {
      lo = relu ? 0.0f : reference::lowest(o.dst);
      hi = random.integer(0, 2) == 0 ? reference::highest(o.dst) * 0.77f : reference::highest(o.dst);
    }
  }

  static void fill(reference::QuantTensor& tensor, Random& random) {
    const int low = tensor.dtype == DType::kS8 ? -127 : 0, high = tensor.dtype == DType::kS8 ? 127 : 255;
    for (std::int64_t i = 0; i < tensor.shape.elements(); ++i) {
      // Extremes are frequent: they are what overflows.
      const int kind = random.integer(0, 7);
      tensor.set(i, kind == 0 ? low : kind == 1 ? high : random.integer(low, high));
    }
  }

  int images() const { return desc.n - options.missing_images; }
  int element_bytes() const { return options.dst == DType::kF32 ? 4 : 1; }
  ConvProblem problem() const { return problem_of(desc, options); }

  // Dense images [first, first + count) of a tensor.
  static reference::QuantTensor images_of(const reference::QuantTensor& tensor, int first, int count) {
    reference::QuantTensor out(tensor.dtype, {count, tensor.shape.h, tensor.shape.w, tensor.shape.c});
    const std::size_t image = out.bytes.size() / static_cast<std::size_t>(count);
    std::copy_n(tensor.bytes.begin() + static_cast<std::ptrdiff_t>(image * static_cast<std::size_t>(first)),
                out.bytes.size(), out.bytes.begin());
    return out;
  }

  // The reference's output as bytes (four an element if float32), images of this call only.
  std::vector<std::uint8_t> expected() const {
    std::vector<std::uint8_t> all;
    for (int i = 0; i < images(); ++i) {
      const reference::QuantTensor in = images_of(src, i, 1);
      const reference::QuantTensor r = options.residual ? images_of(residual, i, 1) : residual;
      const std::vector<float> dynamic(m.size(), image_scale[static_cast<std::size_t>(i)]);
      reference::ConvParams params{.desc = desc,
                                   .weights = weights,
                                   .m = options.dynamic ? dynamic : m,
                                   .b = b,
                                   .lo = lo,
                                   .hi = hi,
                                   .residual = options.residual ? &r : nullptr,
                                   .residual_scale = kResidualScale};
      params.desc.n = 1;
      if (options.dst != DType::kF32) {
        const reference::QuantTensor out = reference::conv(in, params, options.dst);
        all.insert(all.end(), out.bytes.begin(), out.bytes.end());
      } else {
        const std::vector<float> v = reference::conv_f32(in, params);
        const auto* bytes = reinterpret_cast<const std::uint8_t*>(v.data());
        all.insert(all.end(), bytes, bytes + v.size() * 4);
      }
    }
    return all;
  }

  // Dense -> slice, everything around the channels filled with bytes that would show in the sums. Ends with the last
  // byte that a kernel may read: a sanitizer sees reads beyond it.
  std::vector<std::uint8_t> spread(const reference::QuantTensor& tensor, const Slice& slice, int last_read) const {
    const auto channels = static_cast<std::size_t>(tensor.shape.c), step = static_cast<std::size_t>(slice.pitch);
    const auto pixels = static_cast<std::size_t>(tensor.shape.pixels() / desc.n * images());
    const auto offset = static_cast<std::size_t>(slice.offset);
    std::vector<std::uint8_t> out((pixels - 1) * step + offset + static_cast<std::size_t>(last_read), 0x77);
    for (std::size_t i = 0; i < pixels; ++i) {
      std::memcpy(out.data() + i * step + offset, tensor.bytes.data() + i * channels, channels);
    }
    return out;
  }

  static constexpr std::uint8_t kGuard = 0xA5;
  // Bytes in front of and behind the destination. An even seed leaves the end bare, for a sanitizer to guard.
  static constexpr std::size_t kMargin = 256;

  struct Result {
    std::vector<std::uint8_t> dense;  // the output, gaps removed
    std::string fault;                // empty, or what else the kernel did wrong
  };

  // Every third case runs twice on one workspace.
  Result run(Runtime& runtime, const ConvKernel& kernel, int multiprocessors) const {
    const ConvProblem p = problem();
    const Slice from = src_slice(desc, options.layout), to = output_slice(desc, options.layout, 1);
    const Slice residual_from = output_slice(desc, options.layout, 2);
    const DeviceBuffer in =
        upload(runtime, spread(src, from, round_up(desc.c, packed_source(desc, options.layout) ? 4 : 16)));
    const DeviceBuffer packed = upload(runtime, kernel.pack(p, weights));
    const DeviceBuffer m_buffer = upload(runtime, m), b_buffer = upload(runtime, b);
    const DeviceBuffer scales = upload(runtime, std::span(image_scale).first(static_cast<std::size_t>(images())));
    const DeviceBuffer r = options.residual ? upload(runtime, spread(residual, residual_from, desc.k)) : DeviceBuffer();
    const std::vector<std::uint8_t> zeros(kernel.workspace(p, multiprocessors));
    const DeviceBuffer workspace = upload(runtime, zeros);

    const auto element = static_cast<std::size_t>(element_bytes());
    const auto pixels = static_cast<std::size_t>(desc.output_pixels() / desc.n * images());
    const std::size_t step = static_cast<std::size_t>(p.dst_pitch) * element;
    const std::size_t begin = kMargin + static_cast<std::size_t>(to.offset) * element;
    const std::size_t row = static_cast<std::size_t>(desc.k) * element;
    const std::size_t end = begin + (pixels - 1) * step + row;
    const std::vector<std::uint8_t> guard(end + (options.seed % 2 == 0 ? 0 : kMargin), kGuard);

    const ConvArgs args{
        .n = images(),
        .src = static_cast<const std::uint8_t*>(in.data()) + from.offset,
        .weights = packed.data(),
        .dst = nullptr,
        .residual = options.residual ? static_cast<const std::uint8_t*>(r.data()) + residual_from.offset : nullptr,
        .m = static_cast<const float*>(m_buffer.data()),
        .b = static_cast<const float*>(b_buffer.data()),
        .lo = lo,
        .hi = hi,
        .residual_scale = kResidualScale,
        .image_scale = options.dynamic ? static_cast<const float*>(scales.data()) : nullptr,
        .workspace = zeros.empty() ? nullptr : workspace.data()};
    const auto once = [&] {
      const DeviceBuffer out = upload(runtime, guard);
      ConvArgs with_dst = args;
      with_dst.dst = static_cast<std::uint8_t*>(out.data()) + begin;
      kernel.launch(p, with_dst, multiprocessors, {});
      runtime.synchronize(Stream{});
      return download(runtime, out);
    };
    const std::vector<std::uint8_t> first = once();

    Result result;
    if (options.seed % 3 == 0 && once() != first) result.fault = "the second run gave other bytes";
    if (download(runtime, workspace) != zeros) result.fault = "the workspace was not left zero";
    for (std::size_t i = 0; i < first.size(); ++i) {
      if (i >= begin && i < end && (i - begin) % step < row) {
        result.dense.push_back(first[i]);
      } else if (first[i] != kGuard) {
        result.fault = "a byte outside the destination changed, " +
                       std::to_string(static_cast<std::int64_t>(i) - static_cast<std::int64_t>(begin)) +
                       " from its start";
      }
    }
    return result;
  }

  template <typename Values>
  static DeviceBuffer upload(Runtime& runtime, const Values& values) {
    const std::size_t bytes = values.size() * sizeof(values[0]);
    DeviceBuffer buffer(runtime, bytes);
    if (bytes > 0) runtime.copy_to_device(buffer.data(), values.data(), bytes, {});
    return buffer;
  }
  static std::vector<std::uint8_t> download(Runtime& runtime, const DeviceBuffer& buffer) {
    std::vector<std::uint8_t> bytes(buffer.size());
    if (!bytes.empty()) runtime.copy_to_host(bytes.data(), buffer.data(), bytes.size(), {});
    runtime.synchronize(Stream{});
    return bytes;
  }

  std::string describe() const {
    static const char* const kNames[] = {"tight", "padded", "slices", "odd slices"};
    return to_string(desc) + " src=" + to_string(options.src) + " dst=" + to_string(options.dst) +
           (options.residual ? " residual=" + to_string(*options.residual) : "") + (options.dynamic ? " dynamic" : "") +
           " layout=" + kNames[static_cast<int>(options.layout)] + " images=" + std::to_string(images()) +
           " seed=" + std::to_string(options.seed);
  }

  // Empty, or the first difference with its coordinates.
  std::string compare(const std::vector<std::uint8_t>& actual, const std::vector<std::uint8_t>& want) const {
    if (actual.size() != want.size()) return "sizes differ";
    const auto difference = std::mismatch(actual.begin(), actual.end(), want.begin());
    if (difference.first == actual.end()) return "";
    const auto index = static_cast<std::int64_t>(difference.first - actual.begin()) / element_bytes();
    const std::int64_t pixel = index / desc.k, image = std::int64_t{desc.p()} * desc.q(), in_image = pixel % image;
    return "first difference at n " + std::to_string(pixel / image) + " p " + std::to_string(in_image / desc.q()) +
           " q " + std::to_string(in_image % desc.q()) + " k " + std::to_string(index % desc.k) + ": byte " +
           std::to_string(*difference.first) + ", expected " + std::to_string(*difference.second);
  }
};

}  // namespace gpueval::cuda
