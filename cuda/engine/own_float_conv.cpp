// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <utility>
#include <vector>

#include "cuda/engine/float_conv.h"
#include "cuda/runtime/tables.h"
#include "gpueval/error.h"

namespace gpueval::cuda {
namespace {

class OwnFloatConv : public FloatConv {
 public:
  OwnFloatConv(Runtime& runtime, const FloatConvParams& params, Stream stream)
      : ops_(ops_of(runtime)),
        name_(params.own_name()),
        desc_(params.desc),
        act_(params.act),
        half_(params.type == DType::kF16) {
    upload_weights(runtime, params.weights, stream);
    if (!params.bias.empty()) {
      bias_ = DeviceBuffer(runtime, params.bias.size_bytes());
      runtime.copy_to_device(bias_.data(), params.bias.data(), params.bias.size_bytes(), stream);
    }
    runtime.synchronize(stream);
  }

  std::string name() const override { return name_; }
  void run(const DeviceView& src, const DeviceView& residual, const DeviceView& dst, Stream stream) override {
    ConvDesc desc = desc_;
    desc.n = src.shape.n;
    ops_.conv_float(desc, src, weights_.data(), static_cast<const float*>(bias_.data()), residual, act_, dst, stream);
  }

 private:
  void upload_weights(Runtime& runtime, std::span<const float> weights, Stream stream) {
    DeviceBuffer full(runtime, weights.size_bytes());
    runtime.copy_to_device(full.data(), weights.data(), weights.size_bytes(), stream);
    if (!half_) {
      weights_ = std::move(full);
      return;
    }
    weights_ = DeviceBuffer(runtime, weights.size() * size_of(DType::kF16));
    const Shape row{1, 1, 1, static_cast<int>(weights.size())};
    ops_.cast({full.data(), DType::kF32, row, row.c}, {weights_.data(), DType::kF16, row, row.c}, stream);
    runtime.synchronize(stream);  // before `full` goes
  }

  const Ops& ops_;
  std::string name_;
  ConvDesc desc_;
  Activation act_;
  bool half_;
  DeviceBuffer weights_, bias_;
};

}  // namespace

std::unique_ptr<FloatConv> make_own_float_conv(Runtime& runtime, const FloatConvParams& params, Stream stream) {
  return std::make_unique<OwnFloatConv>(runtime, params, stream);
}

#if !defined(GPUEVAL_WITH_LIBRARIES)  // else cuda/library/ has it
std::unique_ptr<FloatConv> make_library_float_conv(Runtime&, const FloatConvParams&, Stream, std::string* why) {
  if (why != nullptr) *why = "this program was built without the headers of cuDNN and cuBLAS";
  return nullptr;
}
#endif

}  // namespace gpueval::cuda
