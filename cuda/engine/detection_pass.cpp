// SPDX-License-Identifier: Apache-2.0
#include "cuda/engine/detection_pass.h"

#include <fmt/format.h>

#include "cuda/runtime/tables.h"
#include "cuda/selftest/check.h"

namespace gpueval::cuda {
namespace {

template <typename T>
T* as(const DeviceBuffer& buffer) {
  return static_cast<T*>(buffer.data());
}

}  // namespace

std::string DetectionPass::refusal(const Detector& detector) {
  const int candidates = detector_plan(detector.priors).candidates;
  if (candidates > kMostCandidates) {
    return fmt::format("{} boxes of a class may go through suppression, its kernels take {}", candidates,
                       kMostCandidates);
  }
  const double threshold = detector.priors.score_threshold;
  return threshold >= 0 ? "" : fmt::format("its kernels take no score threshold of {:g}", threshold);
}

std::string DetectionPass::failed_kernel(const KernelSelector& selector) {
  for (const OperationCheck& row : detector_checks()) {
    if (selector.failed(row.name))
      return fmt::format("its kernel {} failed the self-test; `gpu_eval selftest` tests it again", row.name);
  }
  return "";
}

DetectionPass::DetectionPass(Runtime& runtime, const Detector& detector, int batch, Stream stream)
    : runtime_(runtime), outputs_(detector.outputs), plan_(detector_plan(detector.priors)) {
  const auto images = static_cast<std::size_t>(batch), rows = images * detector.priors.classes.size();
  const std::size_t places = rows * static_cast<std::size_t>(plan_.candidates);
  const std::size_t found = images * static_cast<std::size_t>(plan_.found);
  const std::vector<Prior>& priors = detector.priors.boxes;
  priors_ = DeviceBuffer(runtime, priors.size() * sizeof(Prior));
  keys_ = DeviceBuffer(runtime, rows * priors.size() * sizeof(ScoreKey));
  best_ = DeviceBuffer(runtime, places * sizeof(Candidate));
  best_counts_ = DeviceBuffer(runtime, rows * sizeof(int));
  kept_ = DeviceBuffer(runtime, places * sizeof(ScoreKey));
  boxes_ = DeviceBuffer(runtime, places * sizeof(BoxEdges));
  found_ = DeviceBuffer(runtime, found * sizeof(FoundBox));
  found_counts_ = DeviceBuffer(runtime, images * sizeof(int));
  host_found_ = PinnedBuffer(runtime, found_.size());
  host_counts_ = PinnedBuffer(runtime, found_counts_.size());
  runtime.copy_to_device(priors_.data(), priors.data(), priors_.size(), stream);
  runtime.synchronize(stream);
}

void DetectionPass::enqueue(const void* offsets, const void* scores, int n, Stream stream) const {
  const Ops& ops = ops_of(runtime_);
  DetectorPlan plan = plan_;
  plan.images = n;
  ops.detector_keys(plan, static_cast<const float*>(scores), as<ScoreKey>(keys_), stream);
  ops.detector_best(plan, as<ScoreKey>(keys_), as<Candidate>(best_), as<int>(best_counts_), stream);
  ops.detector_suppress(plan, as<Candidate>(best_), as<int>(best_counts_), as<Prior>(priors_),
                        static_cast<const float*>(offsets), as<ScoreKey>(kept_), as<BoxEdges>(boxes_), stream);
  ops.detector_gather(plan, as<ScoreKey>(kept_), as<BoxEdges>(boxes_), as<FoundBox>(found_), as<int>(found_counts_),
                      stream);
}

void DetectionPass::enqueue_copy(int n, Stream stream) const {
  const auto images = static_cast<std::size_t>(n);
  runtime_.copy_to_host(host_counts_.data(), found_counts_.data(), images * sizeof(int), stream);
  runtime_.copy_to_host(host_found_.data(), found_.data(),
                        images * static_cast<std::size_t>(plan_.found) * sizeof(FoundBox), stream);
}

void DetectionPass::read(std::span<std::vector<FoundBox>> found) const {
  const auto* counts = static_cast<const int*>(host_counts_.data());
  const auto* boxes = static_cast<const FoundBox*>(host_found_.data());
  for (std::size_t i = 0; i < found.size(); ++i, boxes += plan_.found) found[i].assign(boxes, boxes + counts[i]);
}

}  // namespace gpueval::cuda
