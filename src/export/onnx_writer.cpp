// SPDX-License-Identifier: Apache-2.0
#include "export/onnx_writer.h"

#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <bit>
#include <exception>
#include <span>

#include "core/output_file.h"
#include "gpueval/error.h"

namespace gpueval::onnx_export {
namespace {

// No exception goes through protobuf: it is kept.
struct FileStream : google::protobuf::io::CopyingOutputStream {
  explicit FileStream(OutputFile& to) : file(to) {}
  bool Write(const void* bytes, int size) override {
    try {
      file.write(std::span(static_cast<const std::byte*>(bytes), static_cast<std::size_t>(size)));
      return true;
    } catch (const Error&) {
      error = std::current_exception();
      return false;
    }
  }
  OutputFile& file;
  std::exception_ptr error;
};

constexpr std::int64_t kIrVersion = 8, kOpset = 17;  // of 2022: what today's and older runtimes read

void set_value_info(onnx::ValueInfoProto& info, const std::string& name, const Dims& dims) {
  info.set_name(name);
  auto& type = *info.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx::TensorProto::FLOAT);
  for (const std::int64_t extent : dims) {
    auto& dim = *type.mutable_shape()->add_dim();
    if (extent < 0) {
      dim.set_dim_param("N");
    } else {
      dim.set_dim_value(extent);
    }
  }
}

}  // namespace

onnx::AttributeProto& NodeRef::attribute(const std::string& name, onnx::AttributeProto::AttributeType type) {
  onnx::AttributeProto& attribute = *proto_->add_attribute();
  attribute.set_name(name);
  attribute.set_type(type);
  return attribute;
}

NodeRef& NodeRef::set(const std::string& name, std::int64_t value) {
  attribute(name, onnx::AttributeProto::INT).set_i(value);
  return *this;
}

NodeRef& NodeRef::set(const std::string& name, float value) {
  attribute(name, onnx::AttributeProto::FLOAT).set_f(value);
  return *this;
}

NodeRef& NodeRef::set(const std::string& name, const char* value) {
  attribute(name, onnx::AttributeProto::STRING).set_s(value);
  return *this;
}

NodeRef& NodeRef::set(const std::string& name, const Dims& values) {
  onnx::AttributeProto& ints = attribute(name, onnx::AttributeProto::INTS);
  for (const std::int64_t value : values) ints.add_ints(value);
  return *this;
}

OnnxWriter::OnnxWriter(const std::string& graph_name, const std::string& producer_version,
                       const std::string& description) {
  model_.set_ir_version(kIrVersion);
  model_.set_producer_name("gpu_eval");
  model_.set_producer_version(producer_version);
  model_.set_doc_string(description);
  onnx::OperatorSetIdProto& opset = *model_.add_opset_import();
  opset.set_domain("");
  opset.set_version(kOpset);
  model_.mutable_graph()->set_name(graph_name);
}

void OnnxWriter::input(const std::string& name, const Dims& dims) {
  set_value_info(*model_.mutable_graph()->add_input(), name, dims);
}

void OnnxWriter::output(const std::string& name, const Dims& dims) {
  set_value_info(*model_.mutable_graph()->add_output(), name, dims);
}

NodeRef OnnxWriter::node(const std::string& op, const std::string& name, const std::vector<std::string>& inputs,
                         const std::string& output) {
  onnx::NodeProto& proto = *model_.mutable_graph()->add_node();
  proto.set_op_type(op);
  proto.set_name(name);
  for (const std::string& input : inputs) proto.add_input(input);
  proto.add_output(output);
  return NodeRef(proto);
}

onnx::TensorProto& OnnxWriter::initializer(const std::string& name, const Dims& dims,
                                           onnx::TensorProto::DataType type) {
  static_assert(std::endian::native == std::endian::little, "raw_data is little-endian");
  onnx::TensorProto& proto = *model_.mutable_graph()->add_initializer();
  proto.set_name(name);
  proto.set_data_type(type);
  for (const std::int64_t extent : dims) proto.add_dims(extent);
  return proto;
}

std::string OnnxWriter::raw(const std::string& name, const Dims& dims, onnx::TensorProto::DataType type,
                            std::span<const std::byte> bytes) {
  initializer(name, dims, type).set_raw_data(bytes.data(), bytes.size());
  return name;
}

std::span<float> OnnxWriter::float_tensor(const std::string& name, const Dims& dims) {
  std::size_t elements = 1;
  for (const std::int64_t extent : dims) elements *= static_cast<std::size_t>(extent);
  std::string& bytes = *initializer(name, dims, onnx::TensorProto::FLOAT).mutable_raw_data();
  bytes.resize(elements * sizeof(float));
  return {reinterpret_cast<float*>(bytes.data()), elements};
}

std::string OnnxWriter::tensor(const std::string& name, const Dims& dims, std::span<const float> values) {
  return raw(name, dims, onnx::TensorProto::FLOAT, std::as_bytes(values));
}
std::string OnnxWriter::tensor(const std::string& name, const Dims& dims, std::span<const std::int8_t> values) {
  return raw(name, dims, onnx::TensorProto::INT8, std::as_bytes(values));
}
std::string OnnxWriter::tensor(const std::string& name, const Dims& dims, std::span<const std::uint8_t> values) {
  return raw(name, dims, onnx::TensorProto::UINT8, std::as_bytes(values));
}
std::string OnnxWriter::tensor(const std::string& name, const Dims& dims, std::span<const std::int32_t> values) {
  return raw(name, dims, onnx::TensorProto::INT32, std::as_bytes(values));
}
std::string OnnxWriter::tensor(const std::string& name, const Dims& dims, std::span<const std::int64_t> values) {
  return raw(name, dims, onnx::TensorProto::INT64, std::as_bytes(values));
}

void OnnxWriter::write(const std::string& path) const {
  constexpr std::size_t kMost = (std::size_t{1} << 31) - 1;
  if (const std::size_t bytes = model_.ByteSizeLong(); bytes > kMost) {
    fail("{}: the network takes {} bytes as ONNX, one file holds at most {}", path, bytes, kMost);
  }
  OutputFile file(path);
  FileStream bytes(file);
  google::protobuf::io::CopyingOutputStreamAdaptor stream(&bytes);
  const bool written = model_.SerializeToZeroCopyStream(&stream) && stream.Flush();
  if (bytes.error) std::rethrow_exception(bytes.error);
  if (!written) fail("{}: the network cannot be written as ONNX", path);
  file.commit();
}

}  // namespace gpueval::onnx_export
