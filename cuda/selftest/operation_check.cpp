// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <tuple>
#include <utility>

#include "cuda/conv/conv_kernel.h"
#include "cuda/selftest/check.h"
#include "cuda/selftest/checker.h"
#include "reference/float_ops.h"
#include "reference/random_conv.h"

namespace gpueval::cuda {
namespace {

using reference::QuantTensor;

constexpr DType kTypes[] = {DType::kU8, DType::kS8};

const struct {
  Shape shape;
  Window window;
} kPools[] = {
    {{2, 13, 12, 3}, {.kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 2, .pad = {}}},
    {{1, 9, 9, 64}, {.kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 2, .pad = {0, 1, 0, 1}}},
    {{1, 9, 8, 15}, {.kernel_h = 3, .kernel_w = 3, .pad = {1, 1, 1, 1}}},
    {{1, 2, 3, 16}, {.kernel_h = 5, .kernel_w = 5, .pad = {2, 2, 2, 2}}},
};

CheckResult check_max_pool(Runtime& runtime, const Ops& ops) {
  Checker check(runtime);
  for (const auto& [shape, window] : kPools) {
    for (const DType src : kTypes) {
      for (const DType dst : kTypes) {
        const float m = src == dst ? 1.0f : 0.61f;
        const QuantTensor x = check.tensor(src, shape);
        const OpTensor in = check.upload(x);
        check.expect(reference::max_pool(x, window, m, dst), "max_pool",
                     [&, w = window](const DeviceView& out) { ops.max_pool(in.view(), w, m, out, {}); });
      }
    }
  }
  return check.result();
}

CheckResult check_avg_pool(Runtime& runtime, const Ops& ops) {
  Checker check(runtime);
  for (const auto& [shape, window] : kPools) {
    std::vector<float> m;
    for (int i = 1; i <= window.kernel_h * window.kernel_w; ++i) m.push_back(0.93f / static_cast<float>(i));
    const DeviceBuffer factors = upload_all(runtime, m);
    for (const DType src : kTypes) {
      for (const DType dst : kTypes) {
        const QuantTensor x = check.tensor_with_zero(src, shape);
        const OpTensor in = check.upload(x);
        check.expect(reference::avg_pool(x, window, m, dst, check.zero_point(dst)), "avg_pool",
                     [&, w = window](const DeviceView& out) {
                       ops.avg_pool(in.view(), w, static_cast<const float*>(factors.data()), out, {});
                     });
      }
    }
  }
  return check.result();
}

CheckResult check_global_avg_pool(Runtime& runtime, const Ops& ops) {
  Checker check(runtime);
  for (const Shape shape : {Shape{2, 7, 7, 130}, Shape{3, 2, 5, 128}, Shape{1, 13, 13, 67}, Shape{1, 1, 1, 1}}) {
    for (const DType src : kTypes) {
      const float m = 1.3f / static_cast<float>(shape.h * shape.w);
      const QuantTensor x = check.tensor_with_zero(src, shape);
      const OpTensor in = check.upload(x);
      const auto run = [&](const DeviceView& out) { ops.global_avg_pool(in.view(), m, out, {}); };
      for (const DType dst : kTypes)
        check.expect(reference::global_avg_pool(x, m, dst, check.zero_point(dst)), "global_avg_pool", run);
      check.expect(reference::global_avg_pool_f32(x, m), {shape.n, 1, 1, shape.c}, "global_avg_pool", run);
    }
  }
  return check.result();
}

constexpr Shape kElements[] = {{1, 1, 1, 1}, {2, 5, 7, 64}, {1, 3, 3, 15}, {3, 2, 2, 17}};

CheckResult check_add(Runtime& runtime, const Ops& ops) {
  Checker check(runtime);
  for (const Shape& shape : kElements) {
    for (const DType a : kTypes) {
      for (const DType b : kTypes) {
        for (const DType dst : kTypes) {
          const QuantTensor x = check.tensor(a, shape), y = check.tensor(b, shape);
          const OpTensor first = check.upload(x), second = check.upload(y);
          const float lo = reference::lowest(dst), hi = 101.3f;
          check.expect(reference::add(x, 0.5f, y, 1.37f, lo, hi, dst), "add", [&](const DeviceView& out) {
            ops.add(first.view(), 0.5f, second.view(), 1.37f, lo, hi, out, {});
          });
        }
      }
    }
  }
  return check.result();
}

CheckResult check_requantize(Runtime& runtime, const Ops& ops) {
  Checker check(runtime);
  for (const Shape& shape : kElements) {
    for (const DType src : kTypes) {
      for (const DType dst : kTypes) {
        for (const float m : {1.0f, 0.5f}) {  // 0.5: every other value is a tie
          const QuantTensor x = check.tensor(src, shape);
          const OpTensor in = check.upload(x);
          const float lo = reference::lowest(dst), hi = reference::highest(dst);
          check.expect(reference::requantize(x, m, lo, hi, dst), "requantize",
                       [&](const DeviceView& out) { ops.requantize(in.view(), m, lo, hi, out, {}); });
        }
      }
    }
  }
  return check.result();
}

CheckResult check_affine(Runtime& runtime, const Ops& ops) {
  Checker check(runtime);
  for (const Shape& shape : kElements) {
    std::vector<float> m, b;  // halves: ties are frequent
    for (int c = 0; c < shape.c; ++c) {
      m.push_back(static_cast<float>(check.random().integer(-3, 3)) * 0.5f);
      b.push_back(static_cast<float>(check.random().integer(-200, 200)) * 0.5f);
    }
    const DeviceBuffer factors = upload_all(runtime, m), offsets = upload_all(runtime, b);
    for (const DType src : kTypes) {
      const QuantTensor x = check.tensor(src, shape);
      const OpTensor in = check.upload(x);
      const auto run = [&](float lo, float hi) {
        return [&, lo, hi](const DeviceView& out) {
          ops.affine(in.view(), static_cast<const float*>(factors.data()), static_cast<const float*>(offsets.data()),
                     lo, hi, out, {});
        };
      };
      for (const DType dst : kTypes) {
        const float lo = reference::lowest(dst), hi = 101.3f;
        check.expect(reference::affine(x, m, b, lo, hi, dst), "affine", run(lo, hi));
      }
      check.expect(reference::affine_f32(x, m, b, -20.0f), shape, "affine", run(-20.0f, INFINITY));
    }
  }
  return check.result();
}

CheckResult check_lookup(Runtime& runtime, const Ops& ops) {
  Checker check(runtime);
  std::vector<std::uint8_t> table;
  for (int i = 0; i < 256; ++i) table.push_back(static_cast<std::uint8_t>(check.random().integer(0, 255)));
  const DeviceBuffer device = upload_all(runtime, table);
  for (const Shape& shape : kElements) {
    for (const DType type : kTypes) {
      const QuantTensor x = check.tensor(type, shape);
      const OpTensor in = check.upload(x);
      check.expect(reference::lookup(x, table, DType::kU8), "lookup", [&](const DeviceView& out) {
        ops.lookup(in.view(), static_cast<const std::uint8_t*>(device.data()), out, {});
      });
    }
  }
  return check.result();
}

// A slope for each channel, and for each element of an image.
CheckResult check_prelu(Runtime& runtime, const Ops& ops) {
  Checker check(runtime);
  for (const Shape& shape : kElements) {
    for (const bool per_element : {false, true}) {
      std::vector<float> m, b;
      for (std::int64_t i = 0; i < (per_element ? shape.elements() / shape.n : shape.c); ++i) {
        m.push_back(0.5f);  // every other value is a tie
        b.push_back(static_cast<float>(check.random().uniform(-1, 1)));
      }
      const DeviceBuffer positive = upload_all(runtime, m), negative = upload_all(runtime, b);
      for (const DType src : kTypes) {
        const QuantTensor x = check.tensor(src, shape);
        const OpTensor in = check.upload(x);
        for (const DType dst : kTypes) {
          check.expect(reference::prelu(x, m, b, dst), "prelu", [&](const DeviceView& out) {
            ops.prelu(in.view(), static_cast<const float*>(positive.data()), static_cast<const float*>(negative.data()),
                      per_element, out, {});
          });
        }
      }
    }
  }
  return check.result();
}

constexpr BinaryKind kBinaries[] = {BinaryKind::kAdd, BinaryKind::kSubtract, BinaryKind::kMultiply,
                                    BinaryKind::kMaximum, BinaryKind::kMinimum};
const struct {
  Shape a, b;
} kPairs[] = {{{2, 3, 5, 17}, {2, 3, 5, 17}}, {{2, 3, 5, 32}, {2, 1, 1, 32}}, {{2, 1, 1, 20}, {2, 2, 3, 20}},
              {{1, 4, 2, 35}, {1, 4, 2, 1}},  {{2, 1, 3, 1}, {2, 4, 1, 16}},  {{1, 1, 1, 1}, {1, 1, 1, 1}}};

CheckResult check_binary(Runtime& runtime, const Ops& ops) {
  Checker check(runtime);
  for (const auto& [first_shape, second_shape] : kPairs) {
    for (const BinaryKind kind : kBinaries) {
      for (const auto& [a, b, dst] : {std::tuple{DType::kU8, DType::kS8, DType::kS8},
                                      {DType::kU8, DType::kU8, DType::kU8},
                                      {DType::kS8, DType::kU8, DType::kU8},
                                      {DType::kS8, DType::kS8, DType::kS8}}) {
        const bool product = kind == BinaryKind::kMultiply;
        const QuantTensor x = product ? check.tensor_with_zero(a, first_shape) : check.tensor(a, first_shape);
        const QuantTensor y = product ? check.tensor_with_zero(b, second_shape) : check.tensor(b, second_shape);
        const OpTensor first = check.upload(x), second = check.upload(y);
        const float m1 = product ? 0.01f : 0.5f;
        check.expect(
            reference::binary(kind, x, m1, y, 0.71f, dst, product ? check.zero_point(dst) : 0), to_string(kind),
            [&, k = kind](const DeviceView& out) { ops.binary(k, first.view(), m1, second.view(), 0.71f, out, {}); });
      }
    }
  }
  return check.result();
}

CheckResult check_quantize(Runtime& runtime, const Ops& ops) {
  Checker check(runtime);
  for (const Shape shape : {Shape{1, 1, 1, 1}, Shape{2, 5, 7, 3}, Shape{1, 9, 4, 16}, Shape{1, 3, 3, 730}}) {
    const std::vector<float> x = check.floats(shape);
    const OpTensor in = check.upload(x, shape);
    std::vector<float> scales;
    for (int c = 0; c < shape.c; ++c) scales.push_back(static_cast<float>(check.random().uniform(0.1, 2)));
    const DeviceBuffer buffer = upload_all(runtime, scales);
    const auto* scale = static_cast<const float*>(buffer.data());
    for (const DType type : kTypes) {
      check.expect(reference::quantize(x, shape, scales[0], type), "quantize",
                   [&](const DeviceView& out) { ops.quantize(in.view(), scale, false, out, {}); });
      check.expect(reference::quantize_channels({shape, x}, scales, type), "quantize by channel",
                   [&](const DeviceView& out) { ops.quantize(in.view(), scale, true, out, {}); });
    }
  }
  return check.result();
}

CheckResult check_dequantize(Runtime& runtime, const Ops& ops) {
  Checker check(runtime);
  for (const Shape& shape : kElements) {
    std::vector<float> scales;
    for (int c = 0; c < shape.c; ++c) scales.push_back(static_cast<float>(check.random().uniform(0.1, 2)));
    const DeviceBuffer buffer = upload_all(runtime, scales);
    const auto* scale = static_cast<const float*>(buffer.data());
    for (const DType type : kTypes) {
      const QuantTensor q = check.tensor(type, shape);
      const OpTensor in = check.upload(q);
      for (const bool per_channel : {false, true}) {
        const auto used = std::span(scales).first(per_channel ? scales.size() : 1);
        check.expect(reference::dequantize(q, used).values, shape, "dequantize",
                     [&](const DeviceView& out) { ops.dequantize(in.view(), scale, per_channel, out, {}); });
      }
    }
  }
  return check.result();
}

// Each image has its own scale; one is all zero, the last one's largest magnitude is negative and in the last place.
CheckResult check_quantize_dynamic(Runtime& runtime, const Ops& ops) {
  Checker check(runtime);
  constexpr float kWeightScale = 0.0173f;
  for (const Shape shape : {Shape{1, 1, 1, 1}, Shape{4, 3, 5, 3}, Shape{3, 20, 40, 17}}) {
    std::vector<float> x = check.floats(shape);
    const auto image = static_cast<std::size_t>(shape.elements() / shape.n);
    if (shape.n > 1) std::fill_n(x.begin(), image, 0.0f);
    x.back() = -1234.56f;
    QuantTensor want(DType::kS8, shape);
    std::vector<float> want_scales;
    for (std::size_t i = 0; i < static_cast<std::size_t>(shape.n); ++i) {
      const std::span<const float> values(x.data() + i * image, image);
      const float largest = reference::max_abs(values), scale = largest > 0 ? largest / 127.0f : 1.0f;
      const QuantTensor q = reference::quantize(values, {1, shape.h, shape.w, shape.c}, scale, DType::kS8);
      std::copy(q.bytes.begin(), q.bytes.end(), want.bytes.begin() + static_cast<std::ptrdiff_t>(i * image));
      want_scales.push_back(scale * kWeightScale);
    }
    const OpTensor in = check.upload(x, shape);
    const std::vector<float> garbage(static_cast<std::size_t>(shape.n), -7.0f);
    const DeviceBuffer scales = upload_all(runtime, garbage), scratch = upload_all(runtime, garbage);
    check.expect(want, "quantize_dynamic", [&](const DeviceView& out) {
      ops.quantize_dynamic(in.view(), kWeightScale, out, static_cast<float*>(scales.data()),
                           static_cast<int*>(scratch.data()), {});
    });
    check.expect_equal(want_scales, download_all<float>(runtime, scales), "quantize_dynamic's scales");
  }
  return check.result();
}

// A tensor into the middle of a filled one, as padding does it.
CheckResult check_copy(Runtime& runtime, const Ops& ops) {
  Checker check(runtime);
  for (const DType type : kTypes) {
    for (const int channels : {1, 3, 16, 17, 728}) {
      const Shape from{2, 3, 2, channels}, to{2, 5, 4, channels};
      const QuantTensor x = check.tensor(type, from);
      QuantTensor want(type, to);
      want.zero_point = channels % 256;
      std::fill(want.bytes.begin(), want.bytes.end(), static_cast<std::uint8_t>(want.zero_point));
      for (std::int64_t p = 0; p < from.pixels(); ++p) {
        const std::int64_t n = p / (from.h * from.w), y = p / from.w % from.h, w = p % from.w;
        const std::int64_t at = (n * to.h + y + 1) * to.w + w + 2;
        std::copy_n(x.bytes.begin() + p * channels, channels, want.bytes.begin() + at * channels);
      }
      const OpTensor in = check.upload(x);
      check.expect(want, "copy and fill", [&](const DeviceView& out) {
        ops.fill(out, want.zero_point, {});
        ops.copy(in.view(), out, 1, 2, {});
      });
    }
  }
  return check.result();
}

// Behind a library's sums: as integers and as floats.
CheckResult check_finish_integer(Runtime& runtime, const Ops& ops) {
  Checker check(runtime);
  const ConvDesc desc = parse_conv_desc("n2h3w3c4_k5r1s1_st1_pad0,0,0,0");
  for (const DType type : kTypes) {
    for (const auto& residual : {std::optional<DType>(), std::optional(DType::kU8), std::optional(DType::kS8)}) {
      const RandomConv conv(desc, DType::kS8, type, residual, 1, check.random());
      const QuantTensor& added = residual ? conv.residual : conv.src;
      const reference::ConvParams params{.desc = desc,
                                         .weights = conv.weights,
                                         .m = conv.m,
                                         .b = conv.b,
                                         .lo = conv.lo,
                                         .hi = conv.hi,
                                         .residual = residual ? &added : nullptr,
                                         .residual_scale = RandomConv::kResidualScale};
      const std::vector<std::int32_t> sums = reference::conv_accumulators(conv.src, params);
      const DeviceBuffer integers = upload_all(runtime, sums), m = upload_all(runtime, conv.m),
                         floats = upload_all(runtime, std::vector<float>(sums.begin(), sums.end())),
                         b = upload_all(runtime, conv.b);
      const OpTensor other(runtime, added, {0, added.shape.c});
      for (const DType sum_type : {DType::kS32, DType::kF32}) {
        check.expect(reference::conv(conv.src, params, type), "finish_integer", [&](const DeviceView& out) {
          const ConvProblem problem{.desc = desc,
                                    .src = DType::kS8,
                                    .dst = type,
                                    .residual = residual,
                                    .src_pitch = desc.c,
                                    .dst_pitch = static_cast<int>(out.pitch),
                                    .residual_pitch = residual ? desc.k : 0};
          const ConvArgs args{.n = desc.n,
                              .dst = out.data,
                              .residual = residual ? other.view().data : nullptr,
                              .m = static_cast<const float*>(m.data()),
                              .b = static_cast<const float*>(b.data()),
                              .lo = conv.lo,
                              .hi = conv.hi,
                              .residual_scale = RandomConv::kResidualScale};
          ops.finish_integer(problem, args, (sum_type == DType::kS32 ? integers : floats).data(), sum_type, {});
        });
      }
    }
  }
  return check.result();
}

constexpr OperationCheck kChecks[] = {{"max_pool", check_max_pool},
                                      {"avg_pool", check_avg_pool},
                                      {"global_avg_pool", check_global_avg_pool},
                                      {"add", check_add},
                                      {"requantize", check_requantize},
                                      {"affine", check_affine},
                                      {"lookup", check_lookup},
                                      {"prelu", check_prelu},
                                      {"binary", check_binary},
                                      {"quantize", check_quantize},
                                      {"dequantize", check_dequantize},
                                      {"quantize_dynamic", check_quantize_dynamic},
                                      {"copy", check_copy},
                                      {"finish_integer", check_finish_integer, true}};

}  // namespace

std::span<const OperationCheck> integer_checks() { return kChecks; }

std::span<const OperationCheck> operation_checks() {
  static const std::vector<OperationCheck> all = [] {
    std::vector<OperationCheck> rows;
    for (const auto& checks : {integer_checks(), float_checks(), move_checks(), image_checks(), detector_checks()}) {
      rows.insert(rows.end(), checks.begin(), checks.end());
    }
    return rows;
  }();
  return all;
}

}  // namespace gpueval::cuda
