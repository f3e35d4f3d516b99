// SPDX-License-Identifier: Apache-2.0
// The GPU by the CUDA runtime API (linked statically: the program starts without any driver).
#include <cuda_runtime.h>
#include <fmt/format.h>

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "cuda/runtime/code_for.h"
#include "cuda/runtime/gpu/cuda_check.h"
#include "cuda/runtime/runtime.h"

namespace gpueval::cuda {
namespace {

cudaStream_t native(Stream stream) { return static_cast<cudaStream_t>(stream.handle); }
cudaEvent_t native(Event event) { return static_cast<cudaEvent_t>(event.handle); }

// 13000 -> "13.0"
std::string version_text(int version) { return fmt::format("{}.{}", version / 1000, version % 1000 / 10); }

int attribute(cudaDeviceAttr which, int device) {
  int value = 0;
  GPUEVAL_CUDA_CHECK(cudaDeviceGetAttribute(&value, which, device));
  return value;
}

DeviceProperties read_properties(int device) {
  cudaDeviceProp native_properties = {};
  GPUEVAL_CUDA_CHECK(cudaGetDeviceProperties(&native_properties, device));
  int driver = 0, runtime = 0;
  GPUEVAL_CUDA_CHECK(cudaDriverGetVersion(&driver));
  GPUEVAL_CUDA_CHECK(cudaRuntimeGetVersion(&runtime));
  DeviceProperties properties;
  properties.name = native_properties.name;
  properties.sm =
      attribute(cudaDevAttrComputeCapabilityMajor, device) * 10 + attribute(cudaDevAttrComputeCapabilityMinor, device);
  properties.code = code_for(GPUEVAL_CUDA_ARCHITECTURES, properties.sm);
  properties.multiprocessors = attribute(cudaDevAttrMultiProcessorCount, device);
  properties.shared_bytes_per_block =
      static_cast<std::size_t>(attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin, device));
  properties.l2_bytes = static_cast<std::size_t>(attribute(cudaDevAttrL2CacheSize, device));
  properties.memory_bytes = native_properties.totalGlobalMem;
  properties.driver = version_text(driver);
  properties.cuda = version_text(runtime);
  char bus_id[32] = "";
  GPUEVAL_CUDA_CHECK(cudaDeviceGetPCIBusId(bus_id, sizeof(bus_id), device));
  properties.pci_bus_id = bus_id;
  return properties;
}

class GpuRuntime : public Runtime {
 public:
  explicit GpuRuntime(int index) : index_(index), properties_(read_properties(index)) {}

  const DeviceProperties& properties() const override { return properties_; }

  void* allocate(std::size_t bytes) override {
    use();
    void* memory = nullptr;
    const cudaError_t error = cudaMalloc(&memory, bytes > 0 ? bytes : 1);
    if (error == cudaSuccess) return memory;
    static_cast<void>(cudaGetLastError());  // a failed allocation must not surface again at the next call
    std::size_t free_bytes = 0, total_bytes = 0;
    if (cudaMemGetInfo(&free_bytes, &total_bytes) != cudaSuccess) static_cast<void>(cudaGetLastError());
    fail("{}: no {:.1f} MiB of device memory ({:.1f} MiB free of {:.1f}): {}; a smaller --batch needs less",
         properties_.name, mebibytes(bytes), mebibytes(free_bytes), mebibytes(total_bytes), cudaGetErrorString(error));
  }
  void release(void* memory) noexcept override { static_cast<void>(cudaFree(memory)); }
  void* allocate_pinned(std::size_t bytes) override {
    use();
    void* memory = nullptr;
    GPUEVAL_CUDA_CHECK(cudaMallocHost(&memory, bytes > 0 ? bytes : 1));
    return memory;
  }
  void release_pinned(void* memory) noexcept override { static_cast<void>(cudaFreeHost(memory)); }
  void copy_to_device(void* dst, const void* src, std::size_t bytes, Stream stream) override {
    use();
    GPUEVAL_CUDA_CHECK(cudaMemcpyAsync(dst, src, bytes, cudaMemcpyHostToDevice, native(stream)));
  }
  void copy_to_host(void* dst, const void* src, std::size_t bytes, Stream stream) override {
    use();
    GPUEVAL_CUDA_CHECK(cudaMemcpyAsync(dst, src, bytes, cudaMemcpyDeviceToHost, native(stream)));
  }
  void fill(void* dst, int byte, std::size_t bytes, Stream stream) override {
    use();
    GPUEVAL_CUDA_CHECK(cudaMemsetAsync(dst, byte, bytes, native(stream)));
  }

  Stream make_stream() override {
    use();
    cudaStream_t stream = nullptr;
    GPUEVAL_CUDA_CHECK(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
    return {stream};
  }
  void destroy(Stream stream) noexcept override { static_cast<void>(cudaStreamDestroy(native(stream))); }
  Event make_event() override {
    use();
    cudaEvent_t event = nullptr;
    GPUEVAL_CUDA_CHECK(cudaEventCreate(&event));
    return {event};
  }
  void destroy(Event event) noexcept override { static_cast<void>(cudaEventDestroy(native(event))); }
  void record(Event event, Stream stream) override {
    use();
    GPUEVAL_CUDA_CHECK(cudaEventRecord(native(event), native(stream)));
  }
  void wait(Stream stream, Event event) override {
    use();
    GPUEVAL_CUDA_CHECK(cudaStreamWaitEvent(native(stream), native(event), 0));
  }
  double seconds(Event begin, Event end) override {
    use();
    float milliseconds = 0;
    GPUEVAL_CUDA_CHECK(cudaEventElapsedTime(&milliseconds, native(begin), native(end)));
    return milliseconds * 1e-3;
  }
  void synchronize(Stream stream) override {
    use();
    GPUEVAL_CUDA_CHECK(cudaStreamSynchronize(native(stream)));
  }
  void synchronize(Event event) override {
    use();
    GPUEVAL_CUDA_CHECK(cudaEventSynchronize(native(event)));
  }

  void begin_capture(Stream stream) override {
    use();
    GPUEVAL_CUDA_CHECK(cudaStreamBeginCapture(native(stream), cudaStreamCaptureModeThreadLocal));
  }
  void record_in_graph(Event event, Stream stream) override {
    use();
    GPUEVAL_CUDA_CHECK(cudaEventRecordWithFlags(native(event), native(stream), cudaEventRecordExternal));
  }
  void* end_capture(Stream stream) override {
    use();
    cudaGraph_t graph = nullptr;
    GPUEVAL_CUDA_CHECK(cudaStreamEndCapture(native(stream), &graph));
    cudaGraphExec_t executable = nullptr;
    const cudaError_t error = cudaGraphInstantiate(&executable, graph, 0);
    static_cast<void>(cudaGraphDestroy(graph));
    GPUEVAL_CUDA_CHECK(error);
    return executable;
  }
  void launch_graph(void* graph, Stream stream) override {
    use();
    GPUEVAL_CUDA_CHECK(cudaGraphLaunch(static_cast<cudaGraphExec_t>(graph), native(stream)));
  }
  void destroy_graph(void* graph) noexcept override {
    static_cast<void>(cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(graph)));
  }

 private:
  static double mebibytes(std::size_t bytes) { return static_cast<double>(bytes) / (1 << 20); }
  // This thread's device from here on.
  void use() const {
    thread_local int current = -1;
    if (current == index_) return;
    GPUEVAL_CUDA_CHECK(cudaSetDevice(index_));
    current = index_;
  }

  int index_;
  DeviceProperties properties_;
};

std::shared_ptr<GpuRuntime> make_gpu(int index, std::string& why) {
  try {
    auto runtime = std::make_shared<GpuRuntime>(index);
    const DeviceProperties& properties = runtime->properties();
    if (properties.sm >= 75) return runtime;
    why = fmt::format("{} has compute capability {}.{}, the kernels need 7.5 or newer", properties.name,
                      properties.sm / 10, properties.sm % 10);
  } catch (const Error& failure) {
    why = failure.what();
  }
  return nullptr;
}

// Why there is no GPU; empty where there is one.
std::string missing(cudaError_t error, int count) {
  if (error == cudaErrorInsufficientDriver) {
    int driver = 0;
    static_cast<void>(cudaDriverGetVersion(&driver));
    if (driver == 0) return "no NVIDIA driver on this machine";
    return fmt::format("the NVIDIA driver is for CUDA {}, this program needs {} or newer", version_text(driver),
                       version_text(CUDART_VERSION));
  }
  if (error != cudaSuccess) return fmt::format("CUDA finds no GPU: {}", cudaGetErrorString(error));
  return count == 0 ? "no NVIDIA GPU on this machine" : "";
}

}  // namespace

int gpu_count(std::string* why) {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  const std::string reason = missing(error, count);
  if (reason.empty()) return count;
  if (why != nullptr) *why = reason;
  return 0;
}

std::shared_ptr<Runtime> open_gpu(int index, std::string* why) {
  std::string reason;
  if (const int count = gpu_count(&reason); count > 0 && index >= count) {
    reason = fmt::format("there are {} GPUs, the last one is {}", count, count - 1);
  } else if (count > 0) {
    static std::mutex mutex;
    static std::map<int, std::weak_ptr<GpuRuntime>> open;
    const std::lock_guard lock(mutex);
    std::shared_ptr<GpuRuntime> runtime = open[index].lock();
    if (!runtime) open[index] = runtime = make_gpu(index, reason);
    if (runtime) return runtime;
  }
  if (why != nullptr) *why = reason;
  return nullptr;
}

}  // namespace gpueval::cuda
