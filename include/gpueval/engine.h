// SPDX-License-Identifier: Apache-2.0
// An Engine runs one lowered graph on one device. Backends register in src/eval/devices.inc; graph, passes, evaluation
// and command line know nothing of them but this header.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gpueval/graph.h"

namespace gpueval {

struct Image;  // gpueval/dataset.h
struct PixelTable;

// How float32 layers are computed on a GPU: in float32 throughout, in TF32 on its tensor cores, or with float16 tensors
// and float32 sums. The CPU knows kStrict only.
enum class FloatMath { kStrict, kTf32, kHalf };

struct EngineOptions {
  int batch = 1;       // largest batch run() will be given
  std::string kernel;  // forces one kernel (a name or an ISA level from `list kernels`); empty: the best
  FloatMath math = FloatMath::kStrict;
  bool cuda_graph = true;  // replay the forward pass as one captured graph (cuda, emu)
};

// Static facts of one executed step, for --per-layer and the JSON's layers[].
struct LayerInfo {
  std::string name;               // Keras layer name
  std::string op;                 // "Conv2D", ...
  std::string kernel;             // "conv_u8s8_avx512vnni", "oneDNN:brgconv:avx512_core", ...
  std::string shape;              // ConvDesc text for convolutions, else the output's shape
  std::int64_t ops = 0;           // 2 x multiply-adds, whole batch of one
  std::int64_t bytes = 0;         // read + written (activations and weights), batch of one
  std::int64_t weight_bytes = 0;  // of these, what a batch reads once
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

class Engine {
 public:
  virtual ~Engine() = default;
  // input: n preprocessed images (NHWC float32); logits: n x classes. 1 <= n <= options.batch.
  virtual void run(std::span<const float> input, int n, std::span<float> logits) = 0;
  // run() in two halves, for devices that compute while their caller does something else: submit() takes a copy of the
  // input and returns at once, collect() waits for the logits of the oldest batch submitted. At most pipeline_depth()
  // batches may be under way; 1: the engine has run() only.
  virtual int pipeline_depth() const { return 1; }
  virtual void submit(std::span<const float> input, int n);
  virtual void collect(std::span<float> logits);
  // submit() of images as decoded, for devices that preprocess: resized to the input (bilinear) and taken through the
  // table there, with the very floats of gpueval/dataset.h's preprocess().
  virtual bool preprocesses() const { return false; }
  virtual void submit_decoded(std::span<const Image> images, const PixelTable& table);
  // Devices with memory of their own: run() in three steps, each giving its seconds by the device's clock. load()
  // copies n images there, run_loaded() computes on them as often as it is called, fetch() copies the logits back.
  // Elsewhere nothing needs to be copied: has_own_memory() is false, and there is run() only.
  virtual bool has_own_memory() const { return false; }
  virtual double load(std::span<const float> input, int n);
  virtual double run_loaded();
  virtual double fetch(std::span<float> logits);
  // Same, calling tap after every step with the tensor it wrote. The same kernels run.
  virtual void run_tapped(std::span<const float> input, int n, std::span<float> logits, const LayerTap& tap) = 0;
  // Same, adding each step's seconds to seconds[i] (size layers().size()).
  virtual void run_timed(std::span<const float> input, int n, std::span<float> logits, std::span<double> seconds) = 0;
  virtual const std::vector<LayerInfo>& layers() const = 0;
  virtual const Graph& graph() const = 0;
  virtual std::string device() const = 0;                        // "cpu"
  virtual std::size_t arena_bytes() const = 0;                   // activations
  virtual std::vector<std::string> notes() const { return {}; }  // whole sentences for the reader
};

// device: "auto" or a name from devices(). Throws Error (kDevice) where the device is not usable, naming why.
std::unique_ptr<Engine> make_engine(const std::string& device, Graph lowered, const EngineOptions& options);

struct DeviceInfo {
  std::string name;  // "cpu"
  bool usable = false;
  std::string description;  // "Intel(R) Xeon(R) Processor, 2 threads, int8: avx512_vnni" or why it is not usable
  bool automatic = true;    // "auto" may choose it
};
std::vector<DeviceInfo> devices();
// The name of the device that make_engine takes; throws as it does.
std::string chosen_device(const std::string& device);

struct KernelInfo {
  std::string name, device, op, types, isa;
  bool usable = false;
};
std::vector<KernelInfo> kernels();

// Worker threads of the CPU backend, decoding and packing: 0 = all cores that the process may use, or as many as its
// CPU quota allows (rounded up). Process-wide; OMP_THREAD_LIMIT holds. On a worker itself threads() is 1.
void set_threads(int count);
int threads();

}  // namespace gpueval
