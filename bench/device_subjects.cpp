// SPDX-License-Identifier: Apache-2.0
#include "device_subjects.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "cuda/conv/pack.h"
#include "cuda/runtime/tables.h"
#include "device_clock.h"

namespace gpueval::bench {
namespace {

using cuda::ConvKernel;
using cuda::ConvProblem;
using cuda::DeviceBuffer;

// Launches that a hot sample times as one: a launch of its own costs the host more than a small kernel costs the GPU.
constexpr int kBundle = 16;

class DeviceSubject : public Subject {
 public:
  DeviceSubject(cuda::Runtime& runtime, std::shared_ptr<const Problem> problem)
      : runtime_(runtime), problem_(std::move(problem)), clock_(runtime) {}

  int bundle() const override { return runtime_.properties().emulated ? 1 : kBundle; }
  double hot() override {
    return clock_.seconds([&] { runtime_.launch_graph(graph_.get(), clock_.stream()); }) / bundle();
  }
  double cold() override {
    clock_.flush();
    return clock_.seconds([&] { launch(); });
  }

 protected:
  virtual void launch() = 0;
  // When the subject is complete: errors surface here, code is loaded, the bundle is recorded.
  void capture() {
    clock_.seconds([&] { launch(); });
    runtime_.begin_capture(clock_.stream());
    for (int i = 0; i < bundle(); ++i) launch();
    graph_ = cuda::GraphHandle(runtime_, runtime_.end_capture(clock_.stream()));
  }
  template <typename T>
  DeviceBuffer uploaded(const std::vector<T>& values) {
    DeviceBuffer buffer(runtime_, values.size() * sizeof(T));
    runtime_.copy_to_device(buffer.data(), values.data(), buffer.size(), clock_.stream());
    runtime_.synchronize(clock_.stream());
    return buffer;
  }

  cuda::Runtime& runtime_;
  std::shared_ptr<const Problem> problem_;
  mutable DeviceClock clock_;

 private:
  cuda::GraphHandle graph_;
};

class IntegerSubject : public DeviceSubject {
 public:
  IntegerSubject(cuda::Runtime& runtime, const ConvProblem& conv)
      : DeviceSubject(runtime,
                      shared_problem(conv.desc, conv.src == DType::kS8 ? SourceBytes::kBelow128 : SourceBytes::kAll)),
        conv_(conv),
        m_(uploaded(problem_->m)),
        b_(uploaded(problem_->b)),
        src_(uploaded(pitched(conv.src_pitch))),
        dst_(runtime, static_cast<std::size_t>(conv.desc.output_pixels() * conv.dst_pitch)) {}

  std::string verify() const override {
    return problem_->verify([&](std::int64_t index) {
      std::vector<std::uint8_t> bytes(static_cast<std::size_t>(problem_->desc.k));
      const auto* first = static_cast<const std::uint8_t*>(dst_.data()) + index * conv_.dst_pitch;
      runtime_.copy_to_host(bytes.data(), first, bytes.size(), clock_.stream());
      runtime_.synchronize(clock_.stream());
      return bytes;
    });
  }

 protected:
  cuda::ConvArgs args() const {
    return {.n = problem_->desc.n,
            .src = src_.data(),
            .dst = dst_.data(),
            .m = static_cast<const float*>(m_.data()),
            .b = static_cast<const float*>(b_.data())};
  }
  ConvProblem conv_;

 private:
  // Lanes behind the last channel hold bytes that would show in the sums, were they not multiplied by zero.
  std::vector<std::uint8_t> pitched(int pitch) const {
    const auto channels = static_cast<std::size_t>(problem_->desc.c), step = static_cast<std::size_t>(pitch);
    const std::vector<std::uint8_t>& dense = problem_->src.bytes;
    std::vector<std::uint8_t> out(dense.size() / channels * step, 0x77);
    for (std::size_t from = 0, to = 0; from < dense.size(); from += channels, to += step) {
      std::copy_n(dense.begin() + static_cast<std::ptrdiff_t>(from), channels,
                  out.begin() + static_cast<std::ptrdiff_t>(to));
    }
    return out;
  }
  DeviceBuffer m_, b_, src_, dst_;
};

class KernelSubject : public IntegerSubject {
 public:
  KernelSubject(cuda::Runtime& runtime, const ConvKernel& kernel, const ConvDesc& desc)
      : IntegerSubject(runtime, conv_problem(kernel.op, desc)),
        kernel_(kernel),
        weights_(uploaded(kernel.pack(conv_, problem_->weights))) {
    const std::size_t scratch = kernel.workspace != nullptr ? kernel.workspace(conv_, multiprocessors()) : 0;
    if (scratch > 0) {
      workspace_ = DeviceBuffer(runtime, scratch);
      runtime.fill(workspace_.data(), 0, scratch, clock_.stream());
    }
    capture();
  }

 private:
  int multiprocessors() const { return runtime_.properties().multiprocessors; }
  void launch() override {
    cuda::ConvArgs call = args();
    call.weights = weights_.data();
    call.workspace = workspace_.data();
    kernel_.launch(conv_, call, multiprocessors(), clock_.stream());
  }
  const ConvKernel& kernel_;
  DeviceBuffer weights_, workspace_;
};

// The libraries take signed sources only.
class LibraryIntegerSubject : public IntegerSubject {
 public:
  LibraryIntegerSubject(cuda::Runtime& runtime, const cuda::IntegerBaseline& baseline, const ConvDesc& desc)
      : IntegerSubject(runtime, signed_problem(desc)) {
    std::string why;
    library_ = baseline.make(runtime, conv_, problem_->weights, clock_.stream(), &why);
    if (library_ == nullptr) throw Unsupported(why);
    capture();
  }
  std::string describe() const override { return library_->name(); }

 private:
  static ConvProblem signed_problem(const ConvDesc& desc) {
    ConvProblem problem = conv_problem(cuda::ConvOp::kConv, desc);
    problem.src = DType::kS8;
    return problem;
  }
  void launch() override { library_->run(args(), clock_.stream()); }
  std::unique_ptr<cuda::IntegerConv> library_;
};

// The same numbers as float32 or float16; the result, rounded to the integer that the reference gives, within one of
// it.
class LibraryFloatSubject : public DeviceSubject {
 public:
  LibraryFloatSubject(cuda::Runtime& runtime, const cuda::FloatBaseline& baseline, const ConvDesc& desc)
      : DeviceSubject(runtime, shared_problem(desc)), type_(baseline.type) {
    const std::vector<float> w = weights();
    std::string why;
    library_ = baseline.make(runtime,
                             {.desc = desc,
                              .type = type_,
                              .math = baseline.math,
                              .act = Activation::kRelu,
                              .weights = w,
                              .bias = problem_->b},
                             clock_.stream(), &why);
    if (library_ == nullptr) throw Unsupported(why);
    src_ = converted(std::vector<float>(problem_->src.bytes.begin(), problem_->src.bytes.end()), source());
    dst_ = DeviceBuffer(runtime, static_cast<std::size_t>(destination().elements()) * size_of(type_));
    capture();
  }
  std::string describe() const override { return library_->name(); }
  std::string verify() const override {
    const auto k = static_cast<std::size_t>(problem_->desc.k);
    const DeviceBuffer pixel(runtime_, k * sizeof(float));
    const Shape one{1, 1, 1, problem_->desc.k};
    return problem_->verify(
        [&](std::int64_t index) {
          std::byte* first =
              static_cast<std::byte*>(dst_.data()) + static_cast<std::size_t>(index) * k * size_of(type_);
          if (type_ == DType::kF32) {
            ops_of(runtime_).copy(view(first, one, type_), view(pixel.data(), one, DType::kF32), 0, 0, clock_.stream());
          } else {
            ops_of(runtime_).cast(view(first, one, type_), view(pixel.data(), one, DType::kF32), clock_.stream());
          }
          std::vector<float> values(k);
          runtime_.copy_to_host(values.data(), pixel.data(), pixel.size(), clock_.stream());
          runtime_.synchronize(clock_.stream());
          std::vector<std::uint8_t> bytes(k);
          std::transform(values.begin(), values.end(), bytes.begin(), [](float v) {
            return static_cast<std::uint8_t>(std::nearbyint(std::clamp(v, 0.0f, 255.0f)));
          });
          return bytes;
        },
        1);
  }

 private:
  void launch() override {
    library_->run(view(src_.data(), source(), type_), {}, view(dst_.data(), destination(), type_), clock_.stream());
  }
  Shape source() const { return {problem_->desc.n, problem_->desc.h, problem_->desc.w, problem_->desc.c}; }
  Shape destination() const { return {problem_->desc.n, problem_->desc.p(), problem_->desc.q(), problem_->desc.k}; }
  static cuda::DeviceView view(void* data, const Shape& shape, DType type) { return {data, type, shape, shape.c}; }

  // [K][R][S][C] -> [R][S][C][K], times m.
  std::vector<float> weights() const {
    const Problem& p = *problem_;
    const auto filters = p.desc.depthwise ? std::size_t{1} : static_cast<std::size_t>(p.desc.k);
    const std::size_t depth = p.weights.size() / filters;
    std::vector<float> out(p.weights.size());
    for (std::size_t i = 0; i < out.size(); ++i) {
      const std::size_t k = i / depth, at = i % depth;
      const std::size_t channel = p.desc.depthwise ? at % static_cast<std::size_t>(p.desc.c) : k;
      out[at * filters + k] = static_cast<float>(p.weights[i]) * p.m[channel];
    }
    return out;
  }
  DeviceBuffer converted(const std::vector<float>& values, const Shape& shape) {
    DeviceBuffer plain = uploaded(values);
    if (type_ == DType::kF32) return plain;
    DeviceBuffer half(runtime_, values.size() * size_of(type_));
    ops_of(runtime_).cast(view(plain.data(), shape, DType::kF32), view(half.data(), shape, type_), clock_.stream());
    runtime_.synchronize(clock_.stream());
    return half;
  }

  DType type_;
  DeviceBuffer src_, dst_;
  std::unique_ptr<cuda::FloatConv> library_;
};

}  // namespace

ConvProblem conv_problem(cuda::ConvOp op, const ConvDesc& desc) {
  ConvProblem problem;
  problem.desc = desc;
  problem.src_pitch = op == cuda::ConvOp::kConvFirst ? 4 : cuda::round_up(desc.c, 16);
  problem.dst_pitch = cuda::round_up(desc.k, 16);
  return problem;
}

std::unique_ptr<Subject> make_kernel_subject(cuda::Runtime& runtime, const ConvKernel& kernel, const ConvDesc& desc) {
  return std::make_unique<KernelSubject>(runtime, kernel, desc);
}

std::unique_ptr<Subject> make_library_subject(cuda::Runtime& runtime, const cuda::IntegerBaseline& baseline,
                                              const ConvDesc& desc) {
  return std::make_unique<LibraryIntegerSubject>(runtime, baseline, desc);
}

std::unique_ptr<Subject> make_library_subject(cuda::Runtime& runtime, const cuda::FloatBaseline& baseline,
                                              const ConvDesc& desc) {
  return std::make_unique<LibraryFloatSubject>(runtime, baseline, desc);
}

}  // namespace gpueval::bench
