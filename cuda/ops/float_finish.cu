// SPDX-License-Identifier: Apache-2.0
// What a library's product still needs: float sums + bias + residual and the activation, or the integer epilogue on
// s32 (or float32) sums. One thread an element group; bound by memory.
#include "cuda/conv/epilogue.h"
#include "cuda/ops/device_ops.h"
#include "cuda/ops/float_conv.h"
#include "cuda/prim/thread.h"
#include "cuda/runtime/launch.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

template <typename T>
struct FinishFloatParams {
  FloatView<const T> src;
  FloatEpilogue<T> epilogue;
  unsigned items, groups;
};

template <typename T, int kWidth>
GPUEVAL_KERNEL(kFloatThreads)
finish_float_kernel(const FinishFloatParams<T> p) {
  const unsigned item = block_index().x * kFloatThreads + thread_index().x;
  if (item >= p.items) return;
  const std::int64_t pixel = item / p.groups;
  const int channel = static_cast<int>(item % p.groups) * kWidth;
  finish_floats<kWidth>(p.epilogue, pixel, channel, load_floats<kWidth>(p.src.at(pixel, channel)));
}

template <typename Sum>
struct FinishIntegerParams {
  const Sum* sums;  // dense: rows x k
  Epilogue epilogue;
  unsigned items;
};

template <typename Sum>
GPUEVAL_KERNEL(kFloatThreads)
finish_integer_kernel(const FinishIntegerParams<Sum> p) {
  const unsigned item = block_index().x * kFloatThreads + thread_index().x;
  if (item >= p.items) return;
  const int row = static_cast<int>(item / static_cast<unsigned>(p.epilogue.k));
  const int channel = static_cast<int>(item % static_cast<unsigned>(p.epilogue.k));
  store_output(p.epilogue, row, channel, static_cast<int>(p.sums[item]));
}

}  // namespace

void finish_float(const cuda::DeviceView& src, const float* bias, const cuda::DeviceView& residual, Activation act,
                  const cuda::DeviceView& dst, cuda::Stream stream) {
  const char* name = "finish_float";
  with_float_type({src, dst}, name, [&]<typename T, int kWidth>() {
    const auto run = [&]<int kChannels>() {
      const FinishFloatParams<T> params{.src = {static_cast<const T*>(src.data), src.pitch},
                                        .epilogue = {float_view<T>(residual), float_view<T>(dst), bias, bounds_of(act)},
                                        .items = static_cast<unsigned>(dst.shape.elements() / kChannels),
                                        .groups = static_cast<unsigned>(dst.shape.c / kChannels)};
      launch(stream, name, {.x = blocks_of(params.items, name)}, kFloatThreads, 0, &finish_float_kernel<T, kChannels>,
             params);
    };
    if (is_wide({residual})) {
      run.template operator()<kWidth>();
    } else {
      run.template operator()<1>();
    }
  });
}

void finish_integer(const cuda::ConvProblem& problem, const cuda::ConvArgs& args, const void* sums, DType sum_type,
                    cuda::Stream stream) {
  const char* name = "finish_integer";
  const ConvDesc& d = problem.desc;
  const std::int64_t items = static_cast<std::int64_t>(args.n) * d.p() * d.q() * d.k;
  const auto run = [&]<typename Sum>() {
    const FinishIntegerParams<Sum> params{.sums = static_cast<const Sum*>(sums),
                                          .epilogue = make_epilogue(problem, args),
                                          .items = static_cast<unsigned>(items)};
    launch(stream, name, {.x = blocks_of(items, name)}, kFloatThreads, 0, &finish_integer_kernel<Sum>, params);
  };
  if (sum_type == DType::kF32) return run.template operator()<float>();
  run.template operator()<int>();
}

}  // namespace gpueval::GPUEVAL_TARGET
