// SPDX-License-Identifier: Apache-2.0
// An exported file read back by protobuf's own parser.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "gpueval/error.h"
#include "gpueval/onnx_export.h"
#include "onnx.pb.h"
#include "support/data_files.h"

namespace gpueval::test {

class OnnxFile {
 public:
  explicit OnnxFile(const Graph& lowered, const OnnxOptions& options = {}) {
    const TemporaryFolder folder;
    export_onnx(lowered, folder / "network.onnx", options);
    std::ifstream file(folder / "network.onnx", std::ios::binary);
    EXPECT_TRUE(model_.ParseFromIstream(&file));
  }

  const onnx::ModelProto& model() const { return model_; }
  const onnx::GraphProto& graph() const { return model_.graph(); }

  const onnx::NodeProto& node(const std::string& name) const {
    for (const auto& node : graph().node()) {
      if (node.name() == name) return node;
    }
    fail("no node {}", name);
  }
  const onnx::NodeProto& producer(const std::string& tensor) const {
    for (const auto& node : graph().node()) {
      if (node.output(0) == tensor) return node;
    }
    fail("nothing produces {}", tensor);
  }
  // The node that produces input `i` of the node.
  const onnx::NodeProto& before(const onnx::NodeProto& node, int i = 0) const { return producer(node.input(i)); }

  const onnx::TensorProto& tensor(const std::string& name) const {
    for (const auto& tensor : graph().initializer()) {
      if (tensor.name() == name) return tensor;
    }
    fail("no initializer {}", name);
  }
  template <typename T>
  std::vector<T> values(const std::string& name) const {
    const std::string& raw = tensor(name).raw_data();
    std::vector<T> result(raw.size() / sizeof(T));
    std::memcpy(result.data(), raw.data(), raw.size());
    return result;
  }
  std::vector<std::int64_t> dims(const std::string& name) const {
    const auto& dims = tensor(name).dims();
    return {dims.begin(), dims.end()};
  }

  static std::vector<std::int64_t> ints(const onnx::NodeProto& node, const std::string& attribute) {
    for (const auto& a : node.attribute()) {
      if (a.name() == attribute && a.type() == onnx::AttributeProto::INTS) return {a.ints().begin(), a.ints().end()};
    }
    fail("'{}' has no integers {}", node.name(), attribute);
  }
  static std::int64_t integer(const onnx::NodeProto& node, const std::string& attribute) {
    for (const auto& a : node.attribute()) {
      if (a.name() == attribute && a.type() == onnx::AttributeProto::INT) return a.i();
    }
    fail("'{}' has no integer {}", node.name(), attribute);
  }

  // Every name is defined once and before its use, initializers have the bytes that their shape says, and the graph has
  // one input and one output of the documented shapes.
  void expect_well_formed(const Graph& lowered) const {
    std::set<std::string> known, names;
    for (const auto& tensor : graph().initializer()) {
      EXPECT_TRUE(known.insert(tensor.name()).second) << tensor.name();
      std::size_t bytes =
          tensor.data_type() == onnx::TensorProto::INT64                                                     ? 8
          : tensor.data_type() == onnx::TensorProto::FLOAT || tensor.data_type() == onnx::TensorProto::INT32 ? 4
                                                                                                             : 1;
      for (const std::int64_t extent : tensor.dims()) bytes *= static_cast<std::size_t>(extent);
      EXPECT_EQ(tensor.raw_data().size(), bytes) << tensor.name();
    }
    ASSERT_EQ(graph().input_size(), 1);
    ASSERT_EQ(graph().output_size(), 1);
    known.insert(graph().input(0).name());
    for (const auto& node : graph().node()) {
      EXPECT_TRUE(names.insert(node.name()).second) << node.name();
      for (const std::string& input : node.input()) {  // "": an optional one that is not there
        EXPECT_TRUE(input.empty() || known.contains(input)) << node.name() << ": " << input;
      }
      for (const std::string& output : node.output()) EXPECT_TRUE(known.insert(output).second) << node.name();
    }
    EXPECT_TRUE(known.contains(graph().output(0).name()));
    const Shape& in = lowered.input_node().shape;
    expect_shape(graph().input(0), "input", {in.h, in.w, in.c});
    expect_shape(graph().output(0), "logits", {lowered.output_node().shape.elements()});
  }

 private:
  static void expect_shape(const onnx::ValueInfoProto& info, const std::string& name,
                           const std::vector<std::int64_t>& behind_batch) {
    EXPECT_EQ(info.name(), name);
    const auto& type = info.type().tensor_type();
    EXPECT_EQ(type.elem_type(), onnx::TensorProto::FLOAT);
    ASSERT_EQ(type.shape().dim_size(), static_cast<int>(behind_batch.size()) + 1);
    EXPECT_EQ(type.shape().dim(0).dim_param(), "N");
    for (std::size_t i = 0; i < behind_batch.size(); ++i)
      EXPECT_EQ(type.shape().dim(static_cast<int>(i) + 1).dim_value(), behind_batch[i]);
  }

  onnx::ModelProto model_;
};

}  // namespace gpueval::test
