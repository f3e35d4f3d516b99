// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <span>

#include "core/sha256.h"
#include "session/parts.h"

namespace gpueval {
namespace {

// What else decides the bits of float32 sums.
std::string library_isa() {
  std::string text;
  for (const char* name : {"ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "ONEDNN_CPU_ISA_HINTS", "DNNL_CPU_ISA_HINTS"}) {
    if (const char* value = std::getenv(name)) text += fmt::format(" {}={}", name, value);
  }
  return text;
}

template <typename T>
void add(Sha256& sum, const std::vector<T>& values) {
  sum.update(std::as_bytes(std::span(values)));
}

// Scales, weights and biases of the integer layers: whatever recipe made them. Float32 weights are in weights_id.
std::string digest_of(const std::vector<LoweredRow>& rows) {
  Sha256 sum;
  for (const LoweredRow& row : rows) {
    for (const Node& node : row.graph.nodes) {
      sum.update(fmt::format("{} {} {}\n", node.name, to_string(node.type.dtype), node.type.zero_point));
      add(sum, node.type.scale);
      if (!node.integer) continue;
      const IntegerOp& integer = *node.integer;
      sum.update(fmt::format("{:a} {:a} {:a} {} {:a}\n", integer.lo, integer.hi, integer.residual_scale,
                             integer.dynamic, integer.weight_scale));
      if (integer.weights) add(sum, *integer.weights);
      add(sum, integer.m);
      add(sum, integer.b);
      add(sum, integer.input_factors);
      add(sum, integer.window_factors);
      add(sum, integer.table);
      add(sum, std::vector<float>{integer.mean_factor});
    }
  }
  return sum.hex();
}

}  // namespace

std::string journal_key(const Plan& plan, const Prepared& prepared, const JudgedSet& judged, const std::string& task) {
  const ToolInfo tool = tool_info();
  const HostInfo host = host_info();
  const LoadedModel& model = prepared.model;
  const Dataset& images = *prepared.data.images;
  std::string key = fmt::format("tool {} {}\nhost {} {} {} {} threads {}\n", tool.version, tool.revision, host.cpu,
                                host.gpu, host.driver, host.cudnn, host.threads);
  if (plan.shard) key += fmt::format("shard {} of {}\n", plan.shard->index, plan.shard->count);
  key += fmt::format("device {} instructions {}{} batch {}\n", plan.device, device_info("cpu").facts.isa, library_isa(),
                     plan.accuracy->batch);
  key +=
      fmt::format("task {} model {} {} weights {}\n", task, model.graph.name, model.report.variant, model.weights_id);
  key += fmt::format("data {} {} {}\nimages {} from {} labels {}\npreprocessing {}\n", images.kind(),
                     std::filesystem::absolute(images.path()).string(), judged.images->state(), judged.indices.size(),
                     judged.indices.front(), target_sha256(*judged.images, 0, judged.indices.size()),
                     preprocessing_name(images, preprocessing_of(plan, model, images)));
  for (const LoweredRow& row : prepared.rows) {
    key += fmt::format("row {} kernel '{}'\n", empty_run(row).label(), row.row.kernel);
  }
  return key + fmt::format("networks {}\n", digest_of(prepared.rows));
}

}  // namespace gpueval
