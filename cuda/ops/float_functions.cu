// SPDX-License-Identifier: Apache-2.0
// Functions, slopes and operations of two float32 or float16 tensors, as float_elementwise.cu: four neighbouring
// channels a thread, or one. The functions are the CPU's, bit for bit; which one it is, is the same for all threads, so
// that the choice costs no divergence. No shared memory.
#include "cuda/ops/broadcast.h"
#include "cuda/ops/device_ops.h"
#include "cuda/ops/float_items.h"
#include "cuda/ops/float_math.h"
#include "cuda/ops/float_view.h"
#include "cuda/ops/integer_checks.h"
#include "cuda/prim/thread.h"
#include "cuda/runtime/launch.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

template <FunctionKind kKind, int kWidth>
GPUEVAL_DEVICE void apply_kind(const Function& function, Floats<kWidth>& x) {
  GPUEVAL_UNROLL
  for (int i = 0; i < kWidth; ++i) x.v[i] = function_of<kKind>(function, x.v[i]);
}

template <int kWidth>
GPUEVAL_DEVICE void apply_function(const Function& f, Floats<kWidth>& x) {
  switch (f.kind) {
    case FunctionKind::kSigmoid:
      return apply_kind<FunctionKind::kSigmoid>(f, x);
    case FunctionKind::kTanh:
      return apply_kind<FunctionKind::kTanh>(f, x);
    case FunctionKind::kSilu:
      return apply_kind<FunctionKind::kSilu>(f, x);
    case FunctionKind::kGelu:
      return apply_kind<FunctionKind::kGelu>(f, x);
    case FunctionKind::kGeluTanh:
      return apply_kind<FunctionKind::kGeluTanh>(f, x);
    case FunctionKind::kHardSigmoid:
      return apply_kind<FunctionKind::kHardSigmoid>(f, x);
    case FunctionKind::kHardSilu:
      return apply_kind<FunctionKind::kHardSilu>(f, x);
    case FunctionKind::kElu:
      return apply_kind<FunctionKind::kElu>(f, x);
    case FunctionKind::kSelu:
      return apply_kind<FunctionKind::kSelu>(f, x);
    case FunctionKind::kSoftplus:
      return apply_kind<FunctionKind::kSoftplus>(f, x);
    case FunctionKind::kSoftsign:
      return apply_kind<FunctionKind::kSoftsign>(f, x);
    case FunctionKind::kExp:
      return apply_kind<FunctionKind::kExp>(f, x);
    case FunctionKind::kMish:
      return apply_kind<FunctionKind::kMish>(f, x);
    case FunctionKind::kRelu:
      return apply_kind<FunctionKind::kRelu>(f, x);
    case FunctionKind::kAbs:
      return apply_kind<FunctionKind::kAbs>(f, x);
    case FunctionKind::kPower:
      return apply_kind<FunctionKind::kPower>(f, x);
  }
}

template <typename T>
struct FunctionParams {
  FloatView<T> src, dst;
  Function function;
  Items items;
};

template <typename T, int kWidth>
GPUEVAL_KERNEL(kFloatThreads)
activate_float_kernel(const FunctionParams<T> p) {
  Place at;
  if (!find_place<kWidth>(p.items, &at)) return;
  Floats<kWidth> x = load_floats<kWidth>(p.src.at(at.pixel, at.channel));
  apply_function(p.function, x);
  store_floats(p.dst.at(at.pixel, at.channel), x);
}

template <typename T>
struct SlopeParams {
  FloatView<T> src, dst;
  const float* alpha;
  std::int64_t pixels;  // that have slopes of their own
  int channels;
  Items items;
};

template <typename T, int kWidth>
GPUEVAL_KERNEL(kFloatThreads)
prelu_float_kernel(const SlopeParams<T> p) {
  Place at;
  if (!find_place<kWidth>(p.items, &at)) return;
  Floats<kWidth> x = load_floats<kWidth>(p.src.at(at.pixel, at.channel));
  const float* alpha = p.alpha + at.pixel % p.pixels * p.channels + at.channel;
  GPUEVAL_UNROLL
  for (int i = 0; i < kWidth; ++i) x.v[i] = x.v[i] < 0 ? x.v[i] * alpha[i] : x.v[i];
  store_floats(p.dst.at(at.pixel, at.channel), x);
}

template <typename T>
struct PairParams {
  FloatView<T> a, b, dst;
  Repeated first, second;
  Items items;
};

template <int kWidth, typename T>
GPUEVAL_DEVICE Floats<kWidth> load_operand(const FloatView<T>& view, const Repeated& place, const Place& at) {
  const std::int64_t pixel = place.pixel(static_cast<unsigned>(at.pixel));
  if (!place.channel) return load_floats<kWidth>(view.at(pixel, at.channel));
  const float one = load_floats<1>(view.at(pixel, 0)).v[0];
  Floats<kWidth> all;
  GPUEVAL_UNROLL
  for (int i = 0; i < kWidth; ++i) all.v[i] = one;
  return all;
}

template <BinaryKind kKind>
GPUEVAL_DEVICE float combine_floats(float a, float b) {
  if constexpr (kKind == BinaryKind::kAdd) return a + b;
  if constexpr (kKind == BinaryKind::kSubtract) return a - b;
  if constexpr (kKind == BinaryKind::kMultiply) return a * b;
  return kKind == BinaryKind::kMaximum ? max_of(a, b) : min_of(a, b);
}

template <BinaryKind kKind, typename T, int kWidth>
GPUEVAL_KERNEL(kFloatThreads)
binary_float_kernel(const PairParams<T> p) {
  Place at;
  if (!find_place<kWidth>(p.items, &at)) return;
  Floats<kWidth> x = load_operand<kWidth>(p.a, p.first, at);
  const Floats<kWidth> y = load_operand<kWidth>(p.b, p.second, at);
  GPUEVAL_UNROLL
  for (int i = 0; i < kWidth; ++i) x.v[i] = combine_floats<kKind>(x.v[i], y.v[i]);
  store_floats(p.dst.at(at.pixel, at.channel), x);
}

// A source of which one channel is repeated says nothing about the width of loads.
DeviceView as_wide(const DeviceView& src, const DeviceView& dst) {
  DeviceView view = src;
  if (repeated(src, dst).channel) view.data = nullptr;
  return view;
}

template <BinaryKind kKind>
void launch_pair(const DeviceView& a, const DeviceView& b, const DeviceView& dst, Stream stream) {
  const char* name = "binary_float";
  with_float_type({as_wide(a, dst), as_wide(b, dst), dst}, name, [&]<typename T, int kWidth>() {
    const PairParams<T> params{.a = float_view<T>(a),
                               .b = float_view<T>(b),
                               .dst = float_view<T>(dst),
                               .first = repeated(a, dst),
                               .second = repeated(b, dst),
                               .items = items_of<kWidth>(dst.shape)};
    launch(stream, name, {.x = blocks_of(dst.shape.elements() / kWidth, name)}, kFloatThreads, 0,
           &binary_float_kernel<kKind, T, kWidth>, params);
  });
}

}  // namespace

void activate_float(const DeviceView& src, const Function& function, const DeviceView& dst, Stream stream) {
  const char* name = "activate_float";
  with_float_type({src, dst}, name, [&]<typename T, int kWidth>() {
    const FunctionParams<T> params{float_view<T>(src), float_view<T>(dst), function, items_of<kWidth>(dst.shape)};
    launch(stream, name, {.x = blocks_of(dst.shape.elements() / kWidth, name)}, kFloatThreads, 0,
           &activate_float_kernel<T, kWidth>, params);
  });
}

void prelu_float(const DeviceView& src, const float* alpha, bool per_element, const DeviceView& dst, Stream stream) {
  const char* name = "prelu_float";
  with_float_type({src, dst}, name, [&]<typename T, int kWidth>() {
    const SlopeParams<T> params{.src = float_view<T>(src),
                                .dst = float_view<T>(dst),
                                .alpha = alpha,
                                .pixels = per_element ? std::int64_t{src.shape.h} * src.shape.w : 1,
                                .channels = src.shape.c,
                                .items = items_of<kWidth>(dst.shape)};
    launch(stream, name, {.x = blocks_of(dst.shape.elements() / kWidth, name)}, kFloatThreads, 0,
           &prelu_float_kernel<T, kWidth>, params);
  });
}

void binary_float(BinaryKind kind, const DeviceView& a, const DeviceView& b, const DeviceView& dst, Stream stream) {
  cuda::expect_broadcast("binary_float", a, b, dst);
  switch (kind) {
    case BinaryKind::kAdd:
      return launch_pair<BinaryKind::kAdd>(a, b, dst, stream);
    case BinaryKind::kSubtract:
      return launch_pair<BinaryKind::kSubtract>(a, b, dst, stream);
    case BinaryKind::kMultiply:
      return launch_pair<BinaryKind::kMultiply>(a, b, dst, stream);
    case BinaryKind::kMaximum:
      return launch_pair<BinaryKind::kMaximum>(a, b, dst, stream);
    case BinaryKind::kMinimum:
      return launch_pair<BinaryKind::kMinimum>(a, b, dst, stream);
  }
}

}  // namespace gpueval::GPUEVAL_TARGET
