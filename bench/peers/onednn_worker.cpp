// SPDX-License-Identifier: Apache-2.0
// oneDNN's int8 primitives as a process of speed_peers.py: onednn_worker NETWORK BATCH THREADS
// One step runs every convolution and dense layer of the network once, each on its shape with its own weights: u8 x s8
// -> u8 with bias, a scale for each output channel and ReLU, in the layouts that oneDNN asks for. Nothing runs between
// the layers (no pooling, addition, concatenation or reorder), so no network built of these primitives is quicker.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/threads.h"
#include "cpu/onednn.h"
#include "gpueval/error.h"
#include "peers/worker_loop.h"
#include "shapes.h"

namespace {

namespace onednn = gpueval::onednn;
using dnnl::memory;
using gpueval::ConvDesc;

struct Layer {
  dnnl::primitive primitive;
  std::unordered_map<int, memory> args;
};

class Network {
 public:
  void add(const ConvDesc& d) {
    if (d.h == 1 && d.w == 1 && !d.depthwise && d.window == gpueval::Window{}) {
      add_dense(d);
    } else {
      add_conv(d);
    }
  }
  void run() {
    for (const Layer& layer : layers_) layer.primitive.execute(stream_, layer.args);
    stream_.wait();
  }
  const std::map<std::string, int>& implementations() const { return implementations_; }

 private:
  static constexpr auto kAny = memory::format_tag::any;

  static std::vector<float> scales(int channels) {
    return std::vector<float>(static_cast<std::size_t>(channels), 0.01f);
  }
  static dnnl::primitive_attr requantizing(int channels, bool grouped) {
    dnnl::primitive_attr attr;
    onednn::set_channel_scales(attr, scales(channels), grouped);
    dnnl::post_ops post;
    onednn::append_eltwise(post, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
    attr.set_post_ops(post);
    return attr;
  }

  void add_conv(const ConvDesc& d) {
    const gpueval::Window& w = d.window;
    const memory::dims kernel =
        d.depthwise ? memory::dims{d.c, 1, 1, w.kernel_h, w.kernel_w} : memory::dims{d.k, d.c, w.kernel_h, w.kernel_w};
    // Where the window does not reach the last rows, oneDNN wants a smaller padding than the network states.
    const memory::dim bottom = (d.p() - 1) * w.stride_h + w.kernel_h - d.h - w.pad.top;
    const memory::dim right = (d.q() - 1) * w.stride_w + w.kernel_w - d.w - w.pad.left;
    keep<dnnl::convolution_forward>(
        onednn::convolution(
            engine_, {{d.n, d.c, d.h, d.w}, memory::data_type::u8, kAny}, {kernel, memory::data_type::s8, kAny},
            {{d.k}, memory::data_type::f32, kAny}, {{d.n, d.k, d.p(), d.q()}, memory::data_type::u8, kAny},
            {.stride = {w.stride_h, w.stride_w}, .pad_begin = {w.pad.top, w.pad.left}, .pad_end = {bottom, right}},
            requantizing(d.k, d.depthwise)),
        d.k);
  }
  void add_dense(const ConvDesc& d) {
    keep<dnnl::inner_product_forward>(
        onednn::inner_product(engine_, {{d.n, d.c}, memory::data_type::u8, kAny},
                              {{d.k, d.c}, memory::data_type::s8, kAny}, {{d.k}, memory::data_type::f32, kAny},
                              {{d.n, d.k}, memory::data_type::u8, kAny}, requantizing(d.k, false)),
        d.k);
  }

  template <typename Primitive>
  void keep(const typename Primitive::primitive_desc& desc, int channels) {
    Layer layer{Primitive(desc), {}};
    onednn::add_channel_scales(layer.args, engine_, scales(channels));
    for (const auto& [argument, format] : std::map<int, memory::desc>{{DNNL_ARG_SRC, desc.src_desc()},
                                                                      {DNNL_ARG_WEIGHTS, desc.weights_desc()},
                                                                      {DNNL_ARG_BIAS, desc.bias_desc()},
                                                                      {DNNL_ARG_DST, desc.dst_desc()}}) {
      memory buffer(format, engine_);
      std::memset(buffer.get_data_handle(), 1, format.get_size());
      layer.args.emplace(argument, buffer);
    }
    layers_.push_back(std::move(layer));
    ++implementations_[desc.impl_info_str()];
  }

  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  std::vector<Layer> layers_;
  std::map<std::string, int> implementations_;
};

int run(int argc, char** argv) {
  if (argc != 4) gpueval::fail_usage("usage: onednn_worker NETWORK BATCH THREADS");
  const std::string name = argv[1];
  const int batch = std::atoi(argv[2]), threads = std::atoi(argv[3]);
  if (batch < 1 || threads < 1) gpueval::fail_usage("onednn_worker: BATCH and THREADS are numbers above 0");
  gpueval::set_threads(threads);
  Network network;
  bool known = false;
  for (gpueval::bench::ShapeRow row : gpueval::bench::load_shapes(gpueval::bench::shapes_folder())) {
    if (row.network != name) continue;
    known = true;
    row.desc.n = batch;
    for (int i = 0; i < row.count; ++i) network.add(row.desc);
  }
  if (!known) gpueval::fail_usage("onednn_worker: bench/shapes has no network '{}'", name);
  const dnnl_version_t& version = *dnnl_version();
  const std::string number =
      std::to_string(version.major) + "." + std::to_string(version.minor) + "." + std::to_string(version.patch);
  gpueval::bench::serve({{"ready", {{"version", number}, {"kernels", network.implementations()}}}}, batch,
                        [&] { network.run(); });
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "onednn_worker: %s\n", error.what());
    return 1;
  }
}
