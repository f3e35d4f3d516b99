// SPDX-License-Identifier: Apache-2.0
#include "gpueval/roofline.h"

#include <fmt/format.h>

#include <optional>

#include "gpueval/error.h"

namespace gpueval {
namespace {

constexpr double kLeastShare = 0.02, kSlowPercent = 50;
constexpr double kMemoryBoundPercent = 60;
constexpr double kShortCall_ms = 0.02;
constexpr int kFewChannels = 16, kShortDepth = 64;
constexpr int kPixelsPerThread = 32, kPixelsPerMultiprocessor = 128;  // a tile of the smaller kernels

std::optional<ConvDesc> conv_of(const LayerInfo& layer) {
  if (layer.ops == 0) return std::nullopt;
  return parse_conv_desc(layer.shape);
}

bool has_roof(const LayerInfo& layer) {
  return layer.kernel.find("tf32") == std::string::npos && layer.kernel.find("f16") == std::string::npos;
}

// What a layer's pixels are dealt out to.
struct Workers {
  int count;
  const char* name;
  int least_pixels;  // of each, to be busy
};

Workers workers_of(const DeviceRoofs& roofs, int threads) {
  if (roofs.multiprocessors > 0) return {roofs.multiprocessors, "multiprocessors", kPixelsPerMultiprocessor};
  return {threads, "threads", kPixelsPerThread};
}

std::string launch_remark(const Workers& workers, double ms) {
  return fmt::format("launch: {:.0f} us in all, so starting the {} counts", 1e3 * ms, workers.name);
}

// Of several reasons the one that weighs most comes first.
std::string convolution_remark(const ConvDesc& desc, const LayerProfile& p, int batch, double ms,
                               const Workers& workers) {
  if (desc.depthwise) {
    return fmt::format(
        "depthwise: {:.1f} operations a byte, so loads and stores decide ({:.1f} GB/s, {:.0f}% of a copy)", p.intensity,
        p.gbs, p.memory_percent);
  }
  if (p.memory_percent >= kMemoryBoundPercent) {
    return fmt::format("memory-bound: {:.1f} operations a byte, {:.1f} GB/s are {:.0f}% of a copy", p.intensity, p.gbs,
                       p.memory_percent);
  }
  if (desc.c < kFewChannels) {
    return fmt::format("too few channels: {} in, so most lanes of a multiply-add have nothing to do", desc.c);
  }
  const std::int64_t pixels = desc.output_pixels() * batch;
  if (pixels < std::int64_t{workers.least_pixels} * workers.count) {
    return fmt::format("tail: {} output pixels for {} {}; the weights are read for few products", pixels, workers.count,
                       workers.name);
  }
  if (ms < kShortCall_ms) return launch_remark(workers, ms);
  if (desc.depth() < kShortDepth) {
    return fmt::format("short sums: {} products an output, so rounding and storing weigh as much", desc.depth());
  }
  return fmt::format("compute-bound below its roof: {:.0f}% of it with {:.0f} operations a byte", p.compute_percent,
                     p.intensity);
}

std::string remark(const LayerInfo& layer, const LayerProfile& p, int batch, double ms, const Workers& workers) {
  if (const auto desc = conv_of(layer)) return convolution_remark(*desc, p, batch, ms, workers);
  if (ms < kShortCall_ms) return launch_remark(workers, ms);
  return fmt::format("memory-bound: no products, only {:.1f} GB/s of loads and stores ({:.0f}% of a copy)", p.gbs,
                     p.memory_percent);
}

}  // namespace

LayerProfile profile_layer(const LayerInfo& layer, bool integer, int batch, double ms, double share,
                           const DeviceRoofs& roofs, int threads) {
  LayerProfile p;
  // A batch reads the weights once.
  const double ops = static_cast<double>(layer.ops) * batch;
  const double bytes =
      static_cast<double>(layer.bytes - layer.weight_bytes) * batch + static_cast<double>(layer.weight_bytes);
  if (ms <= 0 || bytes <= 0) return p;
  p.gops = ops / ms / 1e6;
  p.gbs = bytes / ms / 1e6;
  p.intensity = ops / bytes;
  p.memory_percent = 100 * p.gbs / roofs.copy_gbs;
  if (!has_roof(layer)) return p;
  p.compute_percent = 100 * p.gops / (integer ? roofs.int8_gops : roofs.f32_gflops);
  if (share >= kLeastShare && p.compute_percent < kSlowPercent)
    p.remark = remark(layer, p, batch, ms, workers_of(roofs, threads));
  return p;
}

void raise_roof(const LayerInfo& layer, bool integer, int batch, double ms, DeviceRoofs& roofs) {
  // Winograd's algorithm multiplies less than is counted: it may pass the roof.
  if (ms <= 0 || !has_roof(layer) || layer.kernel.find("wino") != std::string::npos) return;
  const double gops = static_cast<double>(layer.ops) * batch / ms / 1e6;
  double& roof = integer ? roofs.int8_gops : roofs.f32_gflops;
  if (gops <= roof) return;
  const char* name = integer ? "int8" : "float32";
  std::erase_if(roofs.remarks, [&](const std::string& remark) { return remark.starts_with(name); });
  roofs.remarks.push_back(
      fmt::format("{}: layer {} was faster than the roof's loop, and stands for the roof; the machine was busy, or its "
                  "kernel has other instructions",
                  name, layer.name));
  roof = gops;
}

}  // namespace gpueval
