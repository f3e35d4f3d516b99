// SPDX-License-Identifier: Apache-2.0
// An Engine runs one lowered graph on one device. Backends are rows of src/backend/backends.inc; quantization,
// evaluation, reports and command line know nothing of them but this header: they ask for a device's facts, not its
// name.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gpueval/graph.h"
#include "gpueval/outputs.h"
#include "gpueval/precision.h"
#include "gpueval/threads.h"

namespace gpueval {

struct Image;  // gpueval/dataset.h
struct PixelTable;
struct Detector;  // gpueval/detector.h
struct FoundBox;

// How float32 layers are computed on a GPU: in float32 throughout, in TF32 on its tensor cores, or with float16 tensors
// and float32 sums. The CPU knows kStrict only.
enum class FloatMath { kStrict, kTf32, kHalf };

inline constexpr int kChunkByCache = -1;

struct EngineOptions {
  int batch = 1;       // largest batch run() will be given
  std::string kernel;  // forces one kernel (a name or an ISA level from `list kernels`); empty: the best
  FloatMath math = FloatMath::kStrict;
  bool cuda_graph = true;  // replay the forward pass as one captured graph (cuda, emu)
  // In that graph kernels may begin before those in front have ended, and wait for them themselves (cuda from compute
  // capability 9.0 on, emu). Error (kDevice) on a GPU that cannot.
  bool overlap_launches = false;
  // Images at a time of a batch's first layers, those whose tensors the second-level cache does not hold for the whole
  // batch: so many, or as many as it holds (cuda, emu); the engine then has no run_tapped() and run_timed(). 0: all.
  int chunk = 0;
  // What bytes of pictures became the inputs' values, where that is known: a device with memory of its own takes a
  // batch as bytes then, a quarter of the copy, if each value is one of its channel. The values are the same.
  std::shared_ptr<const PixelTable> pixels = {};
  // Nodes stay as they were given, although the device could run several as one: run_tapped() gives the tensor of each,
  // as calibration needs it.
  bool every_node = false;
};

// Static facts of one executed step, for --per-layer and the JSON's layers[].
struct LayerInfo {
  std::string name;                       // Keras layer name
  std::string op;                         // "Conv2D", ...
  std::string kernel;                     // "conv_u8s8_avx512vnni", "oneDNN:brgconv:avx512_core", ...
  std::string shape;                      // ConvDesc text for convolutions, else the output's shape
  std::int64_t ops = 0;                   // 2 x multiply-adds, whole batch of one
  std::int64_t bytes = 0;                 // read + written (activations and weights), batch of one
  std::int64_t weight_bytes = 0;          // of these, what a batch reads once
  std::vector<std::string> outputs = {};  // of the network: "logits". The step's tensor, or what it is dequantized
};

// A node's tensor as the kernels really produced it: `images` x h x w pixels, c channels, `pitch` elements from pixel
// to pixel.
struct TensorView {
  const void* data = nullptr;
  DType dtype = DType::kF32;
  Shape shape;  // n = images in this batch
  std::int64_t pitch = 0;
};
using LayerTap = std::function<void(int node, const TensorView& view)>;

// run() in two halves, for devices that compute while their caller does something else.
class Pipeline {
 public:
  virtual int depth() const = 0;  // batches that may be under way, at least 2
  // Takes a copy of n preprocessed images and returns at once.
  virtual void submit(std::span<const float> input, int n) = 0;
  // Waits for the outputs of the oldest batch submitted.
  virtual void collect(Outputs outputs) = 0;

 protected:
  ~Pipeline() = default;
};

// For devices that preprocess: resized to the input (bilinear) and taken through the table there, with the very floats
// of gpueval/preprocessing.h. The engine has a Pipeline, whose collect() gives the outputs.
class DevicePreprocessing {
 public:
  virtual void submit(std::span<const Image> decoded, const PixelTable& table) = 0;

 protected:
  ~DevicePreprocessing() = default;
};

// For devices with memory of their own: run() in three steps, each giving its seconds by the device's clock.
class DeviceClock {
 public:
  virtual double load(std::span<const float> input, int n) = 0;  // copies n images there
  virtual double run_loaded() = 0;                               // computes on them, as often as it is called
  virtual double fetch(Outputs outputs) = 0;                     // copies the outputs back
  virtual bool loaded_bytes() const { return false; }            // what load() copied last: EngineOptions::pixels

 protected:
  ~DeviceClock() = default;
};

// For devices that find a detector's boxes themselves, with the bits of the host (src/task/detection): the outputs stay
// there. The engine has a DeviceClock.
class DeviceDetection {
 public:
  // What the functions below find, until it is called again; thresholds are those of its priors. Where the device
  // cannot: why, as a clause, and the host has to.
  virtual std::string prepare(const Detector& detector) = 0;
  // As Engine::run(), with each of the n images' boxes, by class and then by descending score, in place of outputs.
  virtual void detect(std::span<const float> input, int n, std::span<std::vector<FoundBox>> found) = 0;
  // As DeviceClock's run_loaded() and fetch().
  virtual double detect_loaded() = 0;
  virtual double fetch_found(std::span<std::vector<FoundBox>> found) = 0;

 protected:
  ~DeviceDetection() = default;
};

class Engine {
 public:
  virtual ~Engine() = default;
  // input: n preprocessed images (NHWC float32). 1 <= n <= options.batch. outputs: a vector or span will do for a
  // network with one.
  virtual void run(std::span<const float> input, int n, Outputs outputs) = 0;
  // Same, calling tap after every step with the tensor it wrote. The same kernels run.
  virtual void run_tapped(std::span<const float> input, int n, Outputs outputs, const LayerTap& tap) = 0;
  // Same, adding each step's seconds to seconds[i] (size layers().size()).
  virtual void run_timed(std::span<const float> input, int n, Outputs outputs, std::span<double> seconds) = 0;
  virtual const std::vector<LayerInfo>& layers() const = 0;
  virtual const Graph& graph() const = 0;  // that it runs: nodes that it was given may have become several, or one
  virtual std::string device() const = 0;  // "cpu", "cuda:1"
  virtual bool emulated() const { return false; }                // its times mean nothing
  virtual std::size_t arena_bytes() const = 0;                   // activations
  virtual std::vector<std::string> notes() const { return {}; }  // whole sentences for the reader

  // Parts that a device may be without: null. They are the engine's own.
  virtual Pipeline* pipeline() { return nullptr; }
  virtual DevicePreprocessing* preprocessing() { return nullptr; }
  virtual DeviceClock* device_clock() { return nullptr; }
  virtual DeviceDetection* detection() { return nullptr; }
};

// device: "auto" or a name from devices(); "cuda:0" is "cuda". Throws Error (kDevice) where there is no such device or
// it is not usable, naming why.
std::unique_ptr<Engine> make_engine(const std::string& device, Graph lowered, const EngineOptions& options);

// What the hardware and its libraries call themselves; empty where there is no such thing.
struct DeviceFacts {
  std::string hardware;             // "NVIDIA H200"
  std::string isa;                  // of the int8 arithmetic: "avx512_vnni"
  std::string driver, cuda, cudnn;  // versions
  std::string bus_id;               // of a GPU on PCI: "0000:1b:00.0"
};

struct DeviceInfo {
  std::string name;  // "cpu", "cuda" (the first GPU), "cuda:1"
  bool usable = false;
  std::string description;  // "Intel(R) Xeon(R) Processor, 2 threads, int8: avx512_vnni" or why it is not usable
  bool automatic = true;    // "auto" may choose it
  std::vector<Precision> precisions = {};  // that it computes in
  bool own_memory = false;                 // Engine::device_clock(): times can leave the copies out
  bool captures_graphs = false;            // EngineOptions::cuda_graph
  bool preprocesses = false;               // Engine::preprocessing()
  bool has_selftest = false;               // gpueval/selftest.h
  bool emulated = false;                   // its results are exact, its times mean nothing
  DeviceFacts facts = {};
};
std::vector<DeviceInfo> devices();
// What make_engine() takes for `device`; throws as it does.
DeviceInfo device_info(const std::string& device);

struct KernelInfo {
  std::string name, device, op, types, isa;
  bool usable = false;
};
std::vector<KernelInfo> kernels();
// Usage error that lists the device's kernels where EngineOptions::kernel can be none of them.
void check_kernel(const std::string& device, const std::string& kernel);

}  // namespace gpueval
