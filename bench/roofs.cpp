// SPDX-License-Identifier: Apache-2.0
#include "roofs.h"

#include <fmt/format.h>

#include "cpu/roof/roof.h"
#include "cuda/roof/roof.h"

namespace gpueval::bench {
namespace {

double find(const std::vector<RoofValue>& roofs, const Row& row, const std::string& name) {
  for (const RoofValue& roof : roofs) {
    if (roof.device == row.device && roof.threads == row.threads && roof.name == name) return roof.value;
  }
  return 0;
}

}  // namespace

std::vector<RoofValue> cpu_roofs(int threads, double seconds) {
  std::vector<RoofValue> values;
  const std::vector<cpu::Isa> isas = cpu::usable_isas();
  for (const cpu::Isa isa : isas) {
    const cpu::Roofs roofs = cpu::measure_roofs(isa, {.threads = threads, .seconds = seconds});
    const auto remark = [&](const std::string& of) -> std::string {
      for (const std::string& text : roofs.remarks) {
        if (text.starts_with(of + ": ")) return text.substr(of.size() + 2);
      }
      return "";
    };
    values.push_back({"cpu", roofs.threads, "int8 " + roofs.isa, "TOPS", roofs.int8_tops, "", remark("int8")});
    values.push_back({"cpu", roofs.threads, "f32 " + roofs.isa, "TFLOPS", roofs.f32_tflops, "", remark("float32")});
    if (isa == isas.back()) {
      values.push_back({"cpu", roofs.threads, "copy", "GB/s", roofs.copy_gbs, "", remark("copy")});
    }
  }
  return values;
}

std::vector<RoofValue> device_roofs(cuda::Runtime& runtime, const std::string& device, double seconds) {
  cuda::RoofOptions options{.seconds = seconds};
  // Shows that the loops run; the figures are the emulator's own.
  if (runtime.properties().emulated) options = {.seconds = 1e-3, .copy_bytes = 1 << 16, .blocks = 2, .iterations = 4};
  std::vector<RoofValue> values;
  for (const cuda::Roof& roof : cuda::measure_roofs(runtime, options)) {
    values.push_back({device, 0, roof.name, roof.unit, roof.value, roof.missing});
  }
  return values;
}

void raise_roofs(const std::vector<Row>& rows, std::vector<RoofValue>& roofs) {
  for (const Row& row : rows) {
    // Libraries may use other instructions than the roof's loop, and Winograd's algorithm multiplies less than is
    // counted.
    const bool own = row.kernel.find("onednn") == std::string::npos && row.kernel.find("wino") == std::string::npos;
    if (!row.measured() || row.device != "cpu" || !own) continue;
    for (RoofValue& roof : roofs) {
      if (roof.device != row.device || roof.threads != row.threads || roof.name != row.roof) continue;
      if (!roof.missing.empty() || roof.value >= row.tops()) continue;
      roof.value = row.tops();
      roof.remark =
          fmt::format("{} was faster than the roof's loop, and stands for the roof; the machine was busy", row.kernel);
    }
  }
}

std::optional<RoofShare> share_of_roof(const Row& row, const std::vector<RoofValue>& roofs, std::size_t cache_bytes) {
  if (!row.measured()) return std::nullopt;
  RoofShare share;
  const auto consider = [&](const std::string& name, double best_seconds) {
    if (const double fraction = best_seconds / row.seconds; fraction > share.fraction) share = {fraction, name};
  };
  if (const double peak = find(roofs, row, row.roof); peak > 0) consider(row.roof, row.operations / (peak * 1e12));
  const bool from_memory = row.cold || row.bytes > static_cast<double>(cache_bytes);
  const double copy = from_memory ? find(roofs, row, "copy") : 0;
  if (copy > 0) consider("copy", row.bytes / (copy * 1e9));
  if (share.roof.empty()) return std::nullopt;
  return share;
}

}  // namespace gpueval::bench
