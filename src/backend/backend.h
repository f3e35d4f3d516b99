// SPDX-License-Identifier: Apache-2.0
// A backend as a row of src/backend/backends.inc: all that the rest of the program knows of it. A device is named by
// its backend and its index there: "cuda" (the first), "cuda:1".
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gpueval/engine.h"
#include "gpueval/node_runner.h"
#include "gpueval/roofline.h"
#include "gpueval/selftest.h"

namespace gpueval {

// gpueval/selftest.h for the device `index`.
struct SelftestPart {
  std::vector<std::string> (*kernels)(int index);
  std::vector<std::string> (*untested)(int index);
  SelftestResult (*run)(int index, const SelftestOptions& options);
  void (*serve)(int index, const std::vector<std::string>& kernels,
                const std::function<void(const std::string& line)>& say);
};

struct Backend {
  const char* name;       // "cpu"
  int (*device_count)();  // at least 1: where there is none, device(0) says why
  DeviceInfo (*device)(int index);
  std::unique_ptr<Engine> (*make_engine)(int index, Graph lowered, const EngineOptions& options);
  std::vector<KernelInfo> (*kernels)();
  bool kernel_parts = false;  // EngineOptions::kernel may be a part of a kernel's name
  // Parts that a backend may be without: null.
  std::unique_ptr<NodeRunner> (*make_node_runner)(const Graph& graph, Node node, int batch) = nullptr;
  DeviceRoofs (*measure_roofs)(int index) = nullptr;  // without: it makes no claim of speed
  const SelftestPart* selftest = nullptr;
};

}  // namespace gpueval
