// SPDX-License-Identifier: Apache-2.0
// Clock, temperature and power of an NVIDIA GPU and why its clock is held down, from the driver's management library
// (NVML API reference, nvmlDeviceGetClockInfo and following), loaded at run time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gpueval {

// What the driver does not tell is absent.
struct GpuReading {
  std::optional<int> sm_mhz, sm_max_mhz;
  std::optional<int> celsius;
  std::optional<double> watts;
  std::uint64_t slowdowns = 0;  // bits of NVML's "clocks event reasons" at this moment

  // Clauses, without a full stop. noise: the clock moves with them; limits: it stays as low, which belongs to the GPU.
  std::vector<std::string> noise() const, limits() const;
  std::vector<std::string> warnings() const;  // both
};

class GpuClock {
 public:
  // pci_bus_id: "0000:1b:00.0", as CUDA names its device. Absent library, driver or device: every reading is absent.
  explicit GpuClock(const std::string& pci_bus_id, const std::string& library = "libnvidia-ml.so.1");
  ~GpuClock();
  GpuClock(GpuClock&&) noexcept;
  GpuClock& operator=(GpuClock&&) noexcept;
  std::optional<GpuReading> read() const;

 private:
  struct Nvml;
  std::unique_ptr<Nvml> nvml_;
};

}  // namespace gpueval
