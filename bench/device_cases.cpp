// SPDX-License-Identifier: Apache-2.0
#include "cuda/conv/conv_kernel.h"
#include "cuda/runtime/tables.h"
#include "device_subjects.h"
#include "gpueval/error.h"
#include "shapes.h"
#include "subject.h"

namespace gpueval::bench {
namespace {

using cuda::ConvKernel;
using cuda::ConvOp;

// A depthwise kernel is no candidate for a dense convolution, nor a first-layer kernel for 64 channels: not
// "unsupported". What does the pool behind a convolution, too, has no place among the times of convolutions: the engine
// compares it with both (`gpu_eval --per-layer`).
bool applies(const ConvKernel& kernel, const ConvDesc& desc) {
  if (kernel.pools) return false;
  if (desc.depthwise) return kernel.op == ConvOp::kDepthwise;
  return kernel.op == ConvOp::kConv || (kernel.op == ConvOp::kConvFirst && desc.c <= 4);
}

// The roof of what does a kernel's products.
const char* roof_name(cuda::ConvFamily family) {
  switch (family) {
    case cuda::ConvFamily::kNaive:
    case cuda::ConvFamily::kDp4a:
      return "dp4a";
    case cuda::ConvFamily::kMma:
      return "mma_m16n8k32";
    case cuda::ConvFamily::kMmaM8N8K16:
      return "mma_m8n8k16";
    case cuda::ConvFamily::kWgmma:
      break;
  }
  return "wgmma_m64n128k32";
}

Case kernel_case(cuda::Runtime& runtime, const ConvKernel& kernel, const Row& base) {
  Case c{base, {}};
  c.row.kernel = kernel.name;
  c.row.roof = roof_name(kernel.family);
  c.row.bytes = traffic_bytes(base.desc, 1, 1, 1);
  if (!kernel.runs_on(runtime.properties().sm)) {
    const bool any_newer = kernel.max_sm > 1000;
    c.row.note = fmt::format("unsupported: needs {} sm_{}, the device is sm_{}", any_newer ? "at least" : "code for",
                             kernel.min_sm, runtime.properties().sm);
  } else if (!kernel.does(conv_problem(kernel.op, base.desc))) {
    c.row.note = "unsupported: the kernel does not do this shape";
  } else {
    c.make = [&runtime, &kernel, desc = base.desc] { return make_kernel_subject(runtime, kernel, desc); };
  }
  return c;
}

template <typename Baseline>
Case library_case(cuda::Runtime& runtime, const Baseline& baseline, const Row& base) {
  Case c{base, [&runtime, &baseline, desc = base.desc] { return make_library_subject(runtime, baseline, desc); }};
  c.row.kernel = baseline.name;
  return c;
}

}  // namespace

std::vector<Case> device_cases(cuda::Runtime& runtime, const std::string& device, const std::string& network,
                               const ConvDesc& desc) {
  std::vector<Case> cases;
  const Row base{.device = device, .network = network, .desc = desc, .operations = operations(desc)};
  for (const ConvKernel& kernel : conv_kernels_of(runtime)) {
    if (applies(kernel, desc)) cases.push_back(kernel_case(runtime, kernel, base));
  }
  if (runtime.properties().emulated) return cases;
  for (const cuda::IntegerBaseline& baseline : cuda::integer_baselines()) {
    Case c = library_case(runtime, baseline, base);
    c.row.roof = "mma_m16n8k32";  // they may use wider instructions and pass it
    c.row.bytes = traffic_bytes(desc, 1, 1, 1);
    cases.push_back(std::move(c));
  }
  for (const cuda::FloatBaseline& baseline : cuda::float_baselines()) {
    Case c = library_case(runtime, baseline, base);
    const double size = static_cast<double>(size_of(baseline.type));
    if (baseline.type == DType::kF32 && baseline.math == FloatMath::kStrict) c.row.roof = "fma_f32";
    c.row.bytes = traffic_bytes(desc, size, size, size);
    cases.push_back(std::move(c));
  }
  return cases;
}

}  // namespace gpueval::bench
