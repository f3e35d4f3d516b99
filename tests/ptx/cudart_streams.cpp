// SPDX-License-Identifier: Apache-2.0
// Streams, events, graphs and copies.
#include <cuda_runtime_api.h>

#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "ptx/cudart.h"

// The runtime's handles are pointers to types that it leaves open.
struct CUgraph_st {
  std::vector<std::function<void()>> work;
};
struct CUgraphExec_st : CUgraph_st {};
struct CUstream_st {
  std::shared_ptr<CUgraph_st> own;    // what is captured from this stream on
  std::weak_ptr<CUgraph_st> capture;  // the capture that it is part of; none: work is done at once
};
constexpr double kNever = -1;
struct CUevent_st {
  double reached = kNever;
  std::weak_ptr<CUgraph_st> capture;  // in which it was last recorded
};

namespace gpueval::ptx {

cudaError_t enqueue(cudaStream_t stream, std::function<void()> work) {
  const std::shared_ptr<CUgraph_st> capture = stream != nullptr ? stream->capture.lock() : nullptr;
  if (capture != nullptr) {
    capture->work.push_back(std::move(work));
  } else {
    work();
  }
  return cudaSuccess;
}

}  // namespace gpueval::ptx

using gpueval::ptx::enqueue;

cudaError_t cudaMemcpyAsync(void* dst, const void* src, std::size_t bytes, cudaMemcpyKind, cudaStream_t stream) {
  return enqueue(stream, [=] {
    if (bytes > 0) std::memcpy(dst, src, bytes);
  });
}
cudaError_t cudaMemsetAsync(void* dst, int byte, std::size_t bytes, cudaStream_t stream) {
  return enqueue(stream, [=] { std::memset(dst, byte, bytes); });
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = std::make_unique<CUstream_st>().release();
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const std::unique_ptr<CUstream_st> owned(stream);
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t) { return cudaSuccess; }
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  if (stream != nullptr && stream->capture.expired()) stream->capture = event->capture;  // joins the capture
  return cudaSuccess;
}

cudaError_t cudaEventCreate(cudaEvent_t* event) {
  *event = std::make_unique<CUevent_st>().release();
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  const std::unique_ptr<CUevent_st> owned(event);
  return cudaSuccess;
}
// In a capture it orders streams and has no time.
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  event->capture.reset();
  if (stream != nullptr) event->capture = stream->capture;
  event->reached = event->capture.expired() ? gpueval::steady_seconds() : kNever;
  return cudaSuccess;
}
// External: each launch of the graph takes the time.
cudaError_t cudaEventRecordWithFlags(cudaEvent_t event, cudaStream_t stream, unsigned flags) {
  if (flags != cudaEventRecordExternal)
    return gpueval::ptx::set_error(cudaErrorInvalidValue, "a flag that is not known");
  return enqueue(stream, [event] { event->reached = gpueval::steady_seconds(); });
}
cudaError_t cudaEventSynchronize(cudaEvent_t) { return cudaSuccess; }
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t begin, cudaEvent_t end) {
  if (begin->reached == kNever || end->reached == kNever) {
    return gpueval::ptx::set_error(cudaErrorInvalidValue, "an event that was not reached");
  }
  *milliseconds = static_cast<float>((end->reached - begin->reached) * 1e3);
  return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  stream->own = std::make_shared<CUgraph_st>();
  stream->capture = stream->own;
  return cudaSuccess;
}
// Streams that joined are free again: nothing owns the capture any more.
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  *graph = std::make_unique<CUgraph_st>(std::move(*std::exchange(stream->own, nullptr))).release();
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long) {
  auto made = std::make_unique<CUgraphExec_st>();
  made->work = graph->work;
  *executable = made.release();
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  const std::unique_ptr<CUgraph_st> owned(graph);
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t graph) {
  const std::unique_ptr<CUgraphExec_st> owned(graph);
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t graph, cudaStream_t stream) {
  for (const auto& work : graph->work) enqueue(stream, work);
  return cudaSuccess;
}
