// SPDX-License-Identifier: Apache-2.0
// What finds a detector's boxes behind a forward pass: the kernels of cuda/ops/detector.h, their memory, and the way of
// the boxes to the host.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cuda/ops/detector.h"
#include "cuda/runtime/handles.h"
#include "cuda/select/selector.h"
#include "gpueval/detector.h"

namespace gpueval::cuda {

class DetectionPass {
 public:
  // Why the kernels do not take it, as a clause; empty: they do.
  static std::string refusal(const Detector& detector);
  // Why they take none on this device; empty: they passed the self-test, or were not tested.
  static std::string failed_kernel(const KernelSelector& selector);
  // For batches of up to `batch` images. The copy of the priors is over when it returns.
  DetectionPass(Runtime& runtime, const Detector& detector, int batch, Stream stream);

  // offsets, scores: the network's outputs for n images on the device. A capture may record it.
  void enqueue(const void* offsets, const void* scores, int n, Stream stream) const;
  void enqueue_copy(int n, Stream stream) const;
  // What the copy brought, which is over.
  void read(std::span<std::vector<FoundBox>> found) const;

  const DetectorOutputs& outputs() const { return outputs_; }

 private:
  Runtime& runtime_;
  DetectorOutputs outputs_;
  DetectorPlan plan_;
  DeviceBuffer priors_, keys_, best_, best_counts_, kept_, boxes_, found_, found_counts_;
  PinnedBuffer host_found_, host_counts_;
};

}  // namespace gpueval::cuda
