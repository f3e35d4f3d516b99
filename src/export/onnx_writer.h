// SPDX-License-Identifier: Apache-2.0
// Builds an onnx::ModelProto: nodes, initializers, attributes, and the file.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "onnx.pb.h"

namespace gpueval::onnx_export {

using Dims = std::vector<std::int64_t>;

// One node of the ONNX graph; set() adds attributes.
class NodeRef {
 public:
  explicit NodeRef(onnx::NodeProto& proto) : proto_(&proto) {}
  NodeRef& set(const std::string& name, std::int64_t value);
  NodeRef& set(const std::string& name, float value);
  NodeRef& set(const std::string& name, const Dims& values);
  NodeRef& set(const std::string& name, const char* value);

 private:
  onnx::AttributeProto& attribute(const std::string& name, onnx::AttributeProto::AttributeType type);
  onnx::NodeProto* proto_;
};

class OnnxWriter {
 public:
  OnnxWriter(const std::string& graph_name, const std::string& producer_version, const std::string& description);

  // dims: -1 stands for the batch, N.
  void input(const std::string& name, const Dims& dims);
  void output(const std::string& name, const Dims& dims);
  NodeRef node(const std::string& op, const std::string& name, const std::vector<std::string>& inputs,
               const std::string& output);

  // Each returns its name.
  std::string tensor(const std::string& name, const Dims& dims, std::span<const float> values);
  std::string tensor(const std::string& name, const Dims& dims, std::span<const std::int8_t> values);
  std::string tensor(const std::string& name, const Dims& dims, std::span<const std::uint8_t> values);
  std::string tensor(const std::string& name, const Dims& dims, std::span<const std::int32_t> values);
  std::string tensor(const std::string& name, const Dims& dims, std::span<const std::int64_t> values);

  // A float32 initializer to be filled: large weights are never held twice. Valid until the next call.
  std::span<float> float_tensor(const std::string& name, const Dims& dims);

  void write(const std::string& path) const;

 private:
  onnx::TensorProto& initializer(const std::string& name, const Dims& dims, onnx::TensorProto::DataType type);
  std::string raw(const std::string& name, const Dims& dims, onnx::TensorProto::DataType type,
                  std::span<const std::byte> bytes);

  onnx::ModelProto model_;
};

}  // namespace gpueval::onnx_export
