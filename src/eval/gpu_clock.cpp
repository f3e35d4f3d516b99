// SPDX-License-Identifier: Apache-2.0
#include "gpueval/gpu_clock.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <utility>

namespace gpueval {
namespace {

// Of nvml.h, so that no toolkit is needed to build this.
using Device = struct NvmlDeviceHandle*;
using Status = int;
constexpr Status kSuccess = 0;
constexpr int kClockSm = 1, kTemperatureGpu = 0;
constexpr std::uint64_t kPowerCap = 0x4, kHardwareSlowdown = 0x8, kSoftwareThermal = 0x20, kHardwareThermal = 0x40,
                        kPowerBrake = 0x80;

std::string held_down_by(const GpuReading& reading, const char* cause) {
  const std::string clock =
      reading.sm_mhz && reading.sm_max_mhz ? fmt::format(" ({} of {} MHz)", *reading.sm_mhz, *reading.sm_max_mhz) : "";
  return fmt::format("the GPU's clock was held down by {}{}", cause, clock);
}

}  // namespace

struct GpuClock::Nvml {
  void* library = nullptr;
  Device device = nullptr;
  Status (*shutdown)() = nullptr;
  Status (*clock)(Device, int, unsigned*) = nullptr;
  Status (*max_clock)(Device, int, unsigned*) = nullptr;
  Status (*temperature)(Device, int, unsigned*) = nullptr;
  Status (*power)(Device, unsigned*) = nullptr;
  Status (*reasons)(Device, unsigned long long*) = nullptr;

  ~Nvml() {
    if (device != nullptr && shutdown != nullptr) shutdown();
    if (library != nullptr) dlclose(library);
  }

  template <typename Function>
  void find(const char* name, Function& function) const {
    function = reinterpret_cast<Function>(dlsym(library, name));
  }

  bool open(const std::string& file, const std::string& pci_bus_id) {
    library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return false;
    Status (*init)() = nullptr;
    Status (*by_bus)(const char*, Device*) = nullptr;
    find("nvmlInit_v2", init);
    find("nvmlDeviceGetHandleByPciBusId_v2", by_bus);
    if (init == nullptr || by_bus == nullptr || init() != kSuccess) return false;
    find("nvmlShutdown", shutdown);
    if (by_bus(pci_bus_id.c_str(), &device) != kSuccess || device == nullptr) {
      if (shutdown != nullptr) shutdown();
      device = nullptr;
      return false;
    }
    find("nvmlDeviceGetClockInfo", clock);
    find("nvmlDeviceGetMaxClockInfo", max_clock);
    find("nvmlDeviceGetTemperature", temperature);
    find("nvmlDeviceGetPowerUsage", power);
    find("nvmlDeviceGetCurrentClocksEventReasons", reasons);
    if (reasons == nullptr) find("nvmlDeviceGetCurrentClocksThrottleReasons", reasons);  // its name until driver 535
    return true;
  }
};

GpuClock::GpuClock(const std::string& pci_bus_id, const std::string& library) : nvml_(std::make_unique<Nvml>()) {
  if (pci_bus_id.empty() || !nvml_->open(library, pci_bus_id)) nvml_.reset();
}
GpuClock::~GpuClock() = default;
GpuClock::GpuClock(GpuClock&&) noexcept = default;
GpuClock& GpuClock::operator=(GpuClock&&) noexcept = default;

std::optional<GpuReading> GpuClock::read() const {
  if (!nvml_) return std::nullopt;
  GpuReading reading;
  const auto ask = [&](auto function, auto... what) -> std::optional<int> {
    unsigned value = 0;
    if (function == nullptr || function(nvml_->device, what..., &value) != kSuccess) return std::nullopt;
    return static_cast<int>(value);
  };
  reading.sm_mhz = ask(nvml_->clock, kClockSm);
  reading.sm_max_mhz = ask(nvml_->max_clock, kClockSm);
  reading.celsius = ask(nvml_->temperature, kTemperatureGpu);
  if (const auto milliwatts = ask(nvml_->power)) reading.watts = 1e-3 * *milliwatts;
  if (unsigned long long bits = 0; nvml_->reasons != nullptr && nvml_->reasons(nvml_->device, &bits) == kSuccess) {
    reading.slowdowns = bits;
  }
  return reading;
}

std::vector<std::string> GpuReading::limits() const {
  if ((slowdowns & kPowerCap) == 0) return {};
  return {held_down_by(*this, "its power limit")};
}

std::vector<std::string> GpuReading::noise() const {
  std::vector<std::string> list;
  const auto add = [&](std::uint64_t bits, const char* cause) {
    if ((slowdowns & bits) != 0) list.push_back(held_down_by(*this, cause));
  };
  add(kSoftwareThermal | kHardwareThermal, "its temperature");
  add(kPowerBrake, "the power supply");
  if ((slowdowns & (kHardwareThermal | kPowerBrake)) == 0) add(kHardwareSlowdown, "the hardware");
  return list;
}

std::vector<std::string> GpuReading::warnings() const {
  std::vector<std::string> list = limits();
  for (std::string& clause : noise()) list.push_back(std::move(clause));
  return list;
}

}  // namespace gpueval
