// SPDX-License-Identifier: Apache-2.0
#include "cpu/int8/int8_conv.h"
#include "cpu/float32/float_conv.h"

#include <algorithm>
#include <array>
#include <limits>

#include "cpu/int8/amx_conv.h"
#include "cpu/int8/amx_line.h"
#include "cpu/int8/depthwise.h"
#include "cpu/int8/grouped_conv.h"
#include "cpu/int8/int8_winograd.h"
#include "cpu/int8/isa.h"
#include "cpu/int8/tiled_conv.h"
#include "gpueval/error.h"

namespace gpueval::cpu {
namespace {

enum class KernelOp { kConvFirst, kWinograd, kConv, kDepthwise };

struct KernelRow {
  const char* name;
  KernelOp op;
  Isa isa;
  std::unique_ptr<Int8Conv> (*make)(const Int8ConvParams& params, const std::string& name);
};

#define GPUEVAL_INT8_KERNEL(name_, op_, isa_, make_) \
  KernelRow{#name_, KernelOp::op_, Isa::isa_,        \
            [](const Int8ConvParams& params, const std::string& name) -> std::unique_ptr<Int8Conv> { return make_; }},
const std::array kRows = {
#include "cpu/int8/kernels.inc"
};
#undef GPUEVAL_INT8_KERNEL

constexpr const char* kOpNames[] = {"conv_first", "winograd", "conv", "depthwise"};  // of KernelOp

bool applies(KernelOp op, const ConvDesc& desc) {
  switch (op) {
    case KernelOp::kConvFirst:  // pays where a kernel position alone does not fill a depth step
      return !desc.depthwise && desc.c <= 4 && desc.window.kernel_w > 1 && !desc.window.dilated();
    case KernelOp::kWinograd:
      return int8_winograd_fits(desc);
    case KernelOp::kConv:
      return !desc.depthwise;
    case KernelOp::kDepthwise:
      break;
  }
  return desc.depthwise;
}

const KernelRow& row_for(const ConvDesc& desc, Isa isa) {
  if ((isa == Isa::kAmx && !amx_pays(desc)) || (isa == Isa::kAvxVnni && desc.depthwise)) isa = vector_isa(isa);
  for (const KernelRow& row : kRows) {
    if (row.op == KernelOp::kWinograd && !int8_winograd_pays(desc, isa)) continue;
    if (row.isa == isa && applies(row.op, desc)) return row;
  }
  fail("no int8 kernel of {} for {}", to_string(isa), to_string(desc));
}

const KernelRow& choose_row(const ConvDesc& desc, const std::string& kernel) {
  const std::vector<KernelInfo> others = float_kernels();
  const bool of_float = std::any_of(others.begin(), others.end(), [&](const auto& row) { return row.name == kernel; });
  if (kernel.empty() || of_float) return row_for(desc, best_isa_level());
  if (const Isa* isa = find_isa(kernel)) {
    if (!usable(*isa)) fail_usage("int8 kernels of '{}' do not run on this CPU", kernel);
    return row_for(desc, *isa);
  }
  for (const KernelRow& row : kRows) {
    if (row.name != kernel) continue;
    if (!usable(row.isa))
      fail_usage("int8 kernel '{}' needs {}, which this CPU does not have", kernel, to_string(row.isa));
    return applies(row.op, desc) ? row : row_for(desc, row.isa);
  }
  fail_usage("there is no int8 kernel '{}': `gpu_eval list kernels` names them", kernel);
}

void check_params(const Int8ConvParams& params) {
  const ConvDesc& desc = params.desc;
  const std::string text = to_string(desc);
  if (desc.depth() * 127 * 255 > std::numeric_limits<std::int32_t>::max()) {
    fail("{}: {} products a sum could overflow 32 bits in int8", text, desc.depth());
  }
  const auto k = static_cast<std::size_t>(desc.k);
  GPUEVAL_CHECK(!desc.depthwise || desc.k == desc.c, "{}", text);
  GPUEVAL_CHECK(desc.p() > 0 && desc.q() > 0, "{}", text);
  GPUEVAL_CHECK(!desc.window.dilated() || (desc.window.stride_h == 1 && desc.window.stride_w == 1), "{}", text);
  GPUEVAL_CHECK(params.weights.size() == k * static_cast<std::size_t>(desc.depth()), "{}: {} weights", text,
                params.weights.size());
  GPUEVAL_CHECK(params.m.size() == k && params.b.size() == k, "{}: {} scales, {} biases", text, params.m.size(),
                params.b.size());
  GPUEVAL_CHECK(params.src == DType::kU8 || params.src == DType::kS8, "{}: source {}", text, to_string(params.src));
  const int most = params.src == DType::kU8 ? 255 : 0;
  GPUEVAL_CHECK(params.src_zero_point >= 0 && params.src_zero_point <= most, "{}: zero point {}", text,
                params.src_zero_point);
  GPUEVAL_CHECK(params.dst != DType::kS32, "{}: destination {}", text, to_string(params.dst));
}

}  // namespace

std::unique_ptr<Int8Conv> make_int8_conv(const Int8ConvParams& params, const std::string& kernel) {
  check_params(params);
  if (params.desc.groups > 1) return make_grouped_conv(params, kernel);
  const KernelRow& row = choose_row(params.desc, kernel);
  return row.make(params, row.name);
}

std::vector<KernelInfo> int8_kernels() {
  std::vector<KernelInfo> infos;
  for (const KernelRow& row : kRows) {
    infos.push_back({row.name, "cpu", kOpNames[static_cast<int>(row.op)], "u8|s8 x s8 -> u8|s8|f32", to_string(row.isa),
                     usable(row.isa)});
  }
  return infos;
}

bool int8_kernel_applies(const KernelInfo& kernel, const ConvDesc& desc) {
  const auto row = std::find_if(kRows.begin(), kRows.end(), [&](const KernelRow& r) { return r.name == kernel.name; });
  return applies(row->op, desc);
}

std::string best_isa() { return to_string(best_isa_level()); }

}  // namespace gpueval::cpu
