// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "cuda/conv/conv_kernel.h"
#include "cuda/conv/pack.h"
#include "cuda/runtime/handles.h"
#include "gpueval/error.h"
#include "shapes.h"
#include "subject.h"

namespace gpueval::bench {
namespace {

using cuda::ConvKernel;
using cuda::ConvOp;
using cuda::ConvProblem;
using cuda::DeviceBuffer;

// Launches that a hot sample times as one: a launch of its own costs the host more than a small kernel costs the GPU.
constexpr int kBundle = 16;

// Device seconds of work put on a stream; flushes the L2 cache in front of a cold one.
class DeviceClock {
 public:
  explicit DeviceClock(cuda::Runtime& runtime)
      : runtime_(runtime), stream_(make_stream(runtime)), begin_(make_event(runtime)), end_(make_event(runtime)) {}
  cuda::Stream stream() const { return stream_.get(); }
  template <typename Work>
  double seconds(const Work& work) {
    runtime_.record(begin_.get(), stream());
    work();
    runtime_.record(end_.get(), stream());
    runtime_.synchronize(stream());
    return runtime_.seconds(begin_.get(), end_.get());
  }
  // The fill lasts long enough for the host to enqueue what follows: no gap is timed.
  void flush() {
    const std::size_t bytes = std::max(2 * runtime_.properties().l2_bytes, std::size_t{1} << 16);
    if (flush_.data() == nullptr) flush_ = DeviceBuffer(runtime_, bytes);
    runtime_.fill(flush_.data(), ++value_ % 251, bytes, stream());
  }

 private:
  cuda::Runtime& runtime_;
  cuda::StreamHandle stream_;
  cuda::EventHandle begin_, end_;
  DeviceBuffer flush_;
  int value_ = 0;
};

int source_pitch(const ConvKernel& kernel, const ConvDesc& desc) {
  return kernel.op == ConvOp::kConvFirst ? 4 : cuda::round_up(desc.c, 16);
}

ConvProblem conv_problem(const ConvKernel& kernel, const ConvDesc& desc) {
  ConvProblem problem;
  problem.desc = desc;
  problem.src_pitch = source_pitch(kernel, desc);
  problem.dst_pitch = cuda::round_up(desc.k, 16);
  return problem;
}

class KernelSubject : public Subject {
 public:
  KernelSubject(cuda::Runtime& runtime, const ConvKernel& kernel, const ConvDesc& desc)
      : runtime_(runtime),
        kernel_(kernel),
        conv_(conv_problem(kernel, desc)),
        problem_(shared_problem(desc)),
        clock_(runtime),
        weights_(uploaded(kernel.pack(conv_, problem_->weights))),
        m_(uploaded(problem_->m)),
        b_(uploaded(problem_->b)),
        src_(uploaded(pitched(conv_.src_pitch))),
        dst_(runtime, static_cast<std::size_t>(desc.output_pixels() * conv_.dst_pitch)) {
    const std::size_t scratch = kernel.workspace != nullptr ? kernel.workspace(conv_, multiprocessors()) : 0;
    if (scratch > 0) {
      workspace_ = DeviceBuffer(runtime, scratch);
      runtime.fill(workspace_.data(), 0, scratch, clock_.stream());
    }
    clock_.seconds([&] { launch(); });  // errors surface here; code is loaded
    runtime.begin_capture(clock_.stream());
    for (int i = 0; i < bundle(); ++i) launch();
    graph_ = cuda::GraphHandle(runtime, runtime.end_capture(clock_.stream()));
  }

  int bundle() const override { return &runtime_ == &cuda::emu_runtime() ? 1 : kBundle; }
  double hot() override {
    return clock_.seconds([&] { runtime_.launch_graph(graph_.get(), clock_.stream()); }) / bundle();
  }
  double cold() override {
    clock_.flush();
    return clock_.seconds([&] { launch(); });
  }

  std::string verify() const override {
    return problem_->verify([&](std::int64_t index) {
      std::vector<std::uint8_t> bytes(static_cast<std::size_t>(problem_->desc.k));
      const auto* first = static_cast<const std::uint8_t*>(dst_.data()) + index * conv_.dst_pitch;
      runtime_.copy_to_host(bytes.data(), first, bytes.size(), clock_.stream());
      runtime_.synchronize(clock_.stream());
      return bytes;
    });
  }

 private:
  int multiprocessors() const { return runtime_.properties().multiprocessors; }

  void launch() {
    const cuda::ConvArgs args{.n = problem_->desc.n,
                              .src = src_.data(),
                              .weights = weights_.data(),
                              .dst = dst_.data(),
                              .m = static_cast<const float*>(m_.data()),
                              .b = static_cast<const float*>(b_.data()),
                              .workspace = workspace_.data()};
    kernel_.launch(conv_, args, multiprocessors(), clock_.stream());
  }

  template <typename T>
  DeviceBuffer uploaded(const std::vector<T>& values) {
    DeviceBuffer buffer(runtime_, values.size() * sizeof(T));
    runtime_.copy_to_device(buffer.data(), values.data(), buffer.size(), clock_.stream());
    runtime_.synchronize(clock_.stream());
    return buffer;
  }

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

  cuda::Runtime& runtime_;
  const ConvKernel& kernel_;
  ConvProblem conv_;
  std::shared_ptr<const Problem> problem_;
  DeviceClock clock_;
  DeviceBuffer weights_, m_, b_, src_, dst_, workspace_;
  cuda::GraphHandle graph_;
};

// A depthwise kernel is no candidate for a dense convolution, nor a first-layer kernel for 64 channels: not
// "unsupported".
bool applies(const ConvKernel& kernel, const ConvDesc& desc) {
  if (desc.depthwise) return kernel.op == ConvOp::kDepthwise;
  return kernel.op == ConvOp::kConv || (kernel.op == ConvOp::kConvFirst && desc.c <= 4);
}

// The unit that does a kernel's products, from its name.
std::string roof_name(const std::string& kernel) {
  if (kernel.find("m8n8k16") != std::string::npos) return "mma_m8n8k16";
  return kernel.find("mma") != std::string::npos ? "mma_m16n8k32" : "dp4a";
}

}  // namespace

std::vector<Case> device_cases(cuda::Runtime& runtime, const std::string& device, const std::string& network,
                               const ConvDesc& desc) {
  std::vector<Case> cases;
  for (const ConvKernel& kernel : runtime.conv_kernels()) {
    if (!applies(kernel, desc)) continue;
    Case c;
    c.row = {.kernel = kernel.name,
             .device = device,
             .network = network,
             .desc = desc,
             .roof = roof_name(kernel.name),
             .operations = operations(desc),
             .bytes = traffic_bytes(desc, 1, 1, 1)};
    if (runtime.properties().sm < kernel.min_sm) {
      c.row.note = fmt::format("unsupported: needs sm_{}, the device is sm_{}", kernel.min_sm, runtime.properties().sm);
    } else if (!kernel.supports(conv_problem(kernel, desc))) {
      c.row.note = "unsupported: the kernel does not do this shape";
    } else {
      c.make = [&runtime, &kernel, desc] { return std::make_unique<KernelSubject>(runtime, kernel, desc); };
    }
    cases.push_back(std::move(c));
  }
  return cases;
}

}  // namespace gpueval::bench
