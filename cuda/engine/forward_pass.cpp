// SPDX-License-Identifier: Apache-2.0
#include "cuda/engine/forward_pass.h"

#include <algorithm>

namespace gpueval::cuda {

ForwardPass::ForwardPass(Runtime& runtime, LanePlan lanes, std::vector<std::unique_ptr<Step>> steps, Stream main,
                         bool overlaps, const Chunks& chunks)
    : runtime_(runtime),
      lanes_(std::move(lanes)),
      steps_(std::move(steps)),
      main_(main),
      overlaps_(overlaps),
      chunks_(chunks) {
  for (int lane = 1; lane < lanes_.lanes; ++lane) side_.push_back(make_stream(runtime));
  for (const bool records : lanes_.records) events_.push_back(records ? make_event(runtime) : EventHandle());
}

template <typename EnqueueStep>
void ForwardPass::for_each_step(Pass pass, const EnqueueStep& enqueue) const {
  const auto run = [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      pass.lane = lanes_.lane[i + 1];  // whose scratch memory the step reserved
      enqueue(i, pass);
    }
  };
  const auto in_chunks = static_cast<std::size_t>(chunks_.last);
  const int all = pass.n;
  for (; in_chunks > 0 && pass.first < all; pass.first += chunks_.images) {
    pass.n = std::min(chunks_.images, all - pass.first);
    run(0, in_chunks);
  }
  pass.n = all;
  pass.first = 0;
  run(in_chunks, steps_.size());
}

void ForwardPass::run_in_order(const DeviceTensors& tensors, const Batch& batch,
                               const std::function<void(int done)>& between) {
  const Pass pass = whole(tensors, batch);
  if (before) before(pass);
  if (between) between(0);
  for_each_step(pass, [&](std::size_t i, const Pass& part) {
    steps_[i]->enqueue(part);
    if (between) between(static_cast<int>(i) + 1);
  });
  if (after) after(pass);
}

Stream ForwardPass::stream(int lane) const {
  return lane == 0 ? main_ : side_[static_cast<std::size_t>(lane) - 1].get();
}

void ForwardPass::run_in_lanes(const DeviceTensors& tensors, const Batch& batch) {
  const Pass pass = whole(tensors, batch);
  if (before) before(pass);
  if (lanes_.records[0]) runtime_.record(events_[0].get(), main_);
  std::vector<char> behind_kernel(static_cast<std::size_t>(lanes_.lanes), false);  // of ours, and of nothing else
  for_each_step(pass, [&](std::size_t i, Pass part) {
    const std::size_t node = i + 1;
    part.stream = stream(part.lane);
    char& behind = behind_kernel[static_cast<std::size_t>(part.lane)];
    for (const int other : lanes_.waits[node]) {
      runtime_.wait(part.stream, events_[static_cast<std::size_t>(other)].get());
      behind = false;
    }
    part.stream.overlaps = overlaps_ && behind;
    steps_[i]->enqueue(part);
    if (!steps_[i]->in_place()) behind = steps_[i]->launches_own_kernels();
    if (lanes_.records[node]) runtime_.record(events_[node].get(), part.stream);
  });
  for (const int node : lanes_.joins) runtime_.wait(main_, events_[static_cast<std::size_t>(node)].get());
  if (after) after(pass);
}

void ForwardPass::run_as_graph(const DeviceTensors& tensors, const Batch& batch, const PassClock* clock) {
  launch(graphs_, {}, tensors, batch, clock);
}

void ForwardPass::run_in_order_to_last(const DeviceTensors& tensors, const Batch& batch) {
  run_in_order(tensors, batch);
  last_(whole(tensors, batch));
}

void ForwardPass::run_as_graph_to_last(const DeviceTensors& tensors, const Batch& batch, const PassClock* clock) {
  launch(graphs_to_last_, last_, tensors, batch, clock);
}

void ForwardPass::set_last(Enqueue last) {
  last_ = std::move(last);
  graphs_to_last_.clear();
}

void ForwardPass::launch(std::map<GraphKey, GraphHandle>& graphs, const Enqueue& last, const DeviceTensors& tensors,
                         const Batch& batch, const PassClock* clock) {
  const GraphKey key(batch.n, batch.slot, batch.bytes.pixels != nullptr, clock != nullptr);
  if (!graphs.contains(key)) graphs.emplace(key, capture(last, tensors, batch, clock));
  runtime_.launch_graph(graphs.at(key).get(), main_);
}

GraphHandle ForwardPass::capture(const Enqueue& last, const DeviceTensors& tensors, const Batch& batch,
                                 const PassClock* clock) {
  runtime_.begin_capture(main_);
  try {
    if (clock != nullptr) runtime_.record_in_graph(clock->begin, main_);
    run_in_lanes(tensors, batch);
    if (last) last(whole(tensors, batch));
    if (clock != nullptr) runtime_.record_in_graph(clock->end, main_);
  } catch (...) {
    try {
      const GraphHandle broken(runtime_, runtime_.end_capture(main_));
    } catch (const std::exception&) {  // what began it is the better story
    }
    throw;
  }
  return {runtime_, runtime_.end_capture(main_)};
}

}  // namespace gpueval::cuda
