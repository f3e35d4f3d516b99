// SPDX-License-Identifier: Apache-2.0
// One integer convolution with random data, run by a kernel on a device and by the reference.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "cuda/conv/pack.h"
#include "cuda/ops/ops.h"
#include "cuda/runtime/handles.h"
#include "cuda/runtime/runtime.h"
#include "cuda/runtime/tables.h"
#include "reference/random_conv.h"

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
  std::optional<Window> pool = {};  // the max pool behind it
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
          .residual_pitch = options.residual ? output_slice(desc, options.layout, 2).pitch : 0,
          .src_zero_point = 0,
          .pool = options.pool};
}

struct ConvCase : RandomConv {
  CaseOptions options;
  std::vector<float> image_scale;

  ConvCase(const ConvDesc& d, const CaseOptions& o) : ConvCase(d, o, Random(o.seed)) {}

  int images() const { return desc.n - options.missing_images; }
  ConvProblem problem() const {
    ConvProblem problem = problem_of(desc, options);
    problem.src_zero_point = src.zero_point;
    return problem;
  }

  // Images of this call only.
  std::vector<std::uint8_t> expected() const {
    std::vector<std::uint8_t> all;
    for (int i = 0; i < images(); ++i) {
      const float scale = image_scale[static_cast<std::size_t>(i)];
      std::vector<std::uint8_t> image = expected_image(i, options.dynamic ? std::optional(scale) : std::nullopt);
      if (options.pool) image = pooled(std::move(image));
      all.insert(all.end(), image.begin(), image.end());
    }
    return all;
  }

  // One image.
  std::vector<std::uint8_t> pooled(std::vector<std::uint8_t> image) const {
    reference::QuantTensor map(dst, {1, desc.p(), desc.q(), desc.k});
    map.bytes = std::move(image);
    return reference::max_pool(map, *options.pool, 1.0f, dst).bytes;
  }

  static constexpr std::uint8_t kGuard = 0xA5;
  // Bytes in front of and behind the destination. An even seed leaves the end bare, for a sanitizer to guard.
  static constexpr std::size_t kMargin = 256;

  struct Result {
    std::vector<std::uint8_t> dense;  // the output, gaps removed
    std::string fault;                // empty, or what else the kernel did wrong
  };

  // Every third case runs twice on one workspace. overlaps: on a stream that does (runtime/stream.h), behind kernels
  // that bring source, residual and scales there, and before one that takes the output away.
  Result run(Runtime& runtime, const ConvKernel& kernel, int multiprocessors, bool overlaps = false) const {
    const ConvProblem p = problem();
    const Slice from = src_slice(desc, options.layout), to = output_slice(desc, options.layout, 1);
    const Slice residual_from = output_slice(desc, options.layout, 2);
    const DeviceBuffer in =
        upload(runtime, slices(src, from, round_up(desc.c, packed_source(desc, options.layout) ? 4 : 16)));
    const DeviceBuffer packed = upload(runtime, kernel.pack(p, weights));
    const DeviceBuffer m_buffer = upload(runtime, m), b_buffer = upload(runtime, b);
    const DeviceBuffer scales = upload(runtime, std::span(image_scale).first(static_cast<std::size_t>(images())));
    const DeviceBuffer r = options.residual ? upload(runtime, slices(residual, residual_from, desc.k)) : DeviceBuffer();
    const std::vector<std::uint8_t> zeros(kernel.workspace(p, multiprocessors));
    const DeviceBuffer workspace = upload(runtime, zeros);

    const auto element = static_cast<std::size_t>(element_bytes());
    const auto pixels = static_cast<std::size_t>(p.output_pixels() / desc.n * images());
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
      if (overlaps) {
        return launch_between(runtime, {&in, &r, &scales}, out, [&](std::span<void* const> at, Stream stream) {
          with_dst.src = static_cast<std::uint8_t*>(at[0]) + from.offset;
          if (options.residual) with_dst.residual = static_cast<std::uint8_t*>(at[1]) + residual_from.offset;
          if (options.dynamic) with_dst.image_scale = static_cast<const float*>(at[2]);
          kernel.launch(p, with_dst, multiprocessors, stream);
        });
      }
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

  static DeviceView bytes_of(const DeviceBuffer& buffer) {
    return {buffer.data(), DType::kU8, {1, 1, static_cast<int>(buffer.size()), 1}, 1};
  }
  // launch(where the inputs then lie, stream); what is in `out` behind it.
  template <typename Launch>
  static std::vector<std::uint8_t> launch_between(Runtime& runtime, const std::vector<const DeviceBuffer*>& inputs,
                                                  const DeviceBuffer& out, const Launch& launch) {
    const Ops& ops = ops_of(runtime);
    const StreamHandle owned = make_stream(runtime);
    Stream stream = owned.get();
    std::vector<DeviceBuffer> arrived;
    std::vector<void*> at;
    for (const DeviceBuffer* input : inputs) {
      const DeviceBuffer& to = arrived.emplace_back(runtime, input->size());
      runtime.fill(to.data(), kGuard, to.size(), stream);
      at.push_back(to.data());
    }
    const DeviceBuffer taken(runtime, out.size());
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i]->size() == 0) continue;
      ops.copy(bytes_of(*inputs[i]), bytes_of(arrived[i]), 0, 0, stream);
      stream.overlaps = true;  // behind a kernel
    }
    launch(at, stream);
    ops.copy(bytes_of(out), bytes_of(taken), 0, 0, stream);
    runtime.synchronize(stream);
    return download(runtime, taken);
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
           " seed=" + std::to_string(options.seed) +
           (src.zero_point != 0 ? " zero=" + std::to_string(src.zero_point) : "") +
           (options.pool ? " pool=" + describe(*options.pool) : "");
  }

 private:
  static std::string describe(const Window& w) {
    return fmt::format("{}x{} stride {}x{} pad {},{},{},{}", w.kernel_h, w.kernel_w, w.stride_h, w.stride_w, w.pad.top,
                       w.pad.bottom, w.pad.left, w.pad.right);
  }
  ConvCase(const ConvDesc& d, const CaseOptions& o, Random random)
      : RandomConv(d, o.src, o.dst, o.residual, o.saturation, random), options(o) {
    for (int i = 0; i < d.n; ++i) image_scale.push_back(factor(random));
    if (d.depthwise) src.zero_point = random_zero_point(src.dtype, random);
    if (o.pool) {
      out_h = o.pool->out_h(d.p());
      out_w = o.pool->out_w(d.q());
    }
  }

  std::vector<std::uint8_t> slices(const reference::QuantTensor& tensor, const Slice& slice, int last_read) const {
    return spread(tensor, tensor.shape.pixels() / desc.n * images(), slice.offset, slice.pitch, last_read);
  }
};

}  // namespace gpueval::cuda
