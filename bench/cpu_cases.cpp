// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <cstring>

#include "core/threads.h"
#include "cpu/int8/int8_conv.h"
#include "cpu/int8/isa.h"
#include "cpu/roof/roof.h"
#include "gpueval/engine.h"
#include "onednn_conv.h"
#include "shapes.h"
#include "subject.h"

namespace gpueval::bench {
namespace {

// Pushes everything else out of the caches: twice the last level, but at most 256 MiB (a virtual machine may report the
// whole host's cache).
void flush_caches() {
  constexpr std::size_t kMiB = std::size_t{1} << 20;
  static const AlignedBuffer buffer(std::clamp(2 * cpu::last_level_cache_bytes(), 64 * kMiB, 256 * kMiB));
  static int value = 0;
  ++value;
  const std::size_t part = buffer.size() / static_cast<std::size_t>(threads());
  parallel_for(threads(), [&](std::int64_t thread) {
    std::byte* begin = buffer.data() + part * static_cast<std::size_t>(thread);
    // One write a cache line: memset would use stores that go past the caches.
    for (std::size_t at = 0; at < part; at += 64) begin[at] = static_cast<std::byte>(value);
  });
}

class CpuSubject : public Subject {
 public:
  explicit CpuSubject(int thread_count) : threads_(thread_count) {}
  double hot() override {
    set_threads(threads_);
    const auto begin = std::chrono::steady_clock::now();
    run();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }
  double cold() override {
    set_threads(threads_);
    flush_caches();
    return hot();
  }

 protected:
  virtual void run() = 0;

 private:
  int threads_;
};

class Int8Subject : public CpuSubject {
 public:
  Int8Subject(const ConvDesc& desc, const std::string& kernel, int thread_count)
      : CpuSubject(thread_count), problem_(shared_problem(desc)) {
    // As in an engine's arena: 64-byte boundaries.
    src_ = AlignedBuffer(problem_->src.bytes.size());
    dst_ = AlignedBuffer(static_cast<std::size_t>(desc.output_pixels() * desc.k));
    std::memcpy(src_.data(), problem_->src.bytes.data(), problem_->src.bytes.size());
    set_threads(thread_count);
    conv_ = cpu::make_int8_conv(
        {.desc = desc, .weights = problem_->weights, .m = problem_->m, .b = problem_->b, .residual = {}}, kernel);
  }
  std::string verify() const override {
    return problem_->verify([&](std::int64_t index) {
      const auto k = problem_->desc.k;
      const auto* first = dst_.as<std::uint8_t>() + index * k;
      return std::vector<std::uint8_t>(first, first + k);
    });
  }

 private:
  void run() override {
    conv_->run({.n = problem_->desc.n,
                .src = src_.data(),
                .src_pitch = problem_->desc.c,
                .dst = dst_.data(),
                .dst_pitch = problem_->desc.k,
                .scale = std::nullopt});
  }
  std::shared_ptr<const Problem> problem_;
  AlignedBuffer src_, dst_;
  std::unique_ptr<cpu::Int8Conv> conv_;
};

class OneDnnSubject : public CpuSubject {
 public:
  OneDnnSubject(const ConvDesc& desc, OneDnnConv::Type type, int thread_count)
      : CpuSubject(thread_count), problem_(shared_problem(desc)) {
    set_threads(thread_count);
    conv_ = std::make_unique<OneDnnConv>(*problem_, type);
  }
  std::string verify() const override { return conv_->verify(); }
  std::string describe() const override { return conv_->implementation(); }

 private:
  void run() override { conv_->run(); }
  std::shared_ptr<const Problem> problem_;
  std::unique_ptr<OneDnnConv> conv_;
};

}  // namespace

std::vector<Case> cpu_cases(const std::string& network, const ConvDesc& desc, int thread_count) {
  std::vector<Case> cases;
  const Row base{.device = "cpu",
                 .network = network,
                 .desc = desc,
                 .threads = thread_count,
                 .operations = operations(desc),
                 .bytes = traffic_bytes(desc, 1, 1, 1)};
  for (const KernelInfo& kernel : cpu::int8_kernels()) {
    if (!cpu::int8_kernel_applies(kernel, desc)) continue;
    Case c{base, {}};
    c.row.kernel = kernel.name;
    c.row.roof = "int8 " + kernel.isa;
    if (kernel.usable) {
      c.make = [=] { return std::make_unique<Int8Subject>(desc, kernel.name, thread_count); };
    } else {
      c.row.note = "unsupported: this CPU has no " + kernel.isa;
    }
    cases.push_back(std::move(c));
  }
  Case f32{base, [=] { return std::make_unique<OneDnnSubject>(desc, OneDnnConv::Type::kF32, thread_count); }};
  f32.row.kernel = "onednn_f32";
  f32.row.roof = "f32 " + cpu::to_string(cpu::usable_isas().back());
  f32.row.bytes = traffic_bytes(desc, 4, 4, 4);
  cases.push_back(std::move(f32));
  Case s8{base, [=] { return std::make_unique<OneDnnSubject>(desc, OneDnnConv::Type::kInt8, thread_count); }};
  s8.row.kernel = "onednn_int8";
  s8.row.roof = "int8 " + cpu::to_string(cpu::usable_isas().back());  // oneDNN uses AMX where there is one
  if (!cpu::usable(cpu::Isa::kAvx512Vnni)) {
    s8.make = nullptr;
    s8.row.note = "unsupported: without VNNI oneDNN's sums saturate at 16 bits and its results are wrong";
  }
  cases.push_back(std::move(s8));
  return cases;
}

}  // namespace gpueval::bench
