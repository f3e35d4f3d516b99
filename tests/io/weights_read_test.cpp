// SPDX-License-Identifier: Apache-2.0
// Guards the reading of every layout in which Keras stores weights.
#include <gtest/gtest.h>
#include <zip.h>

#include <cstdlib>
#include <fstream>

#include "gpueval/error.h"
#include "gpueval/weights.h"
#include "weights_writer.h"

namespace gpueval {
namespace {

using testing_weights::Strings;
using testing_weights::TempFile;
using testing_weights::Writer;

// Two layers as published: "conv1" (1, 1, 2, 1) with a bias, an activation without weights, "fire2/squeeze1x1" (2,).
void write_keras1(const Writer& file, const std::string& top, Strings kind) {
  if (top != "/") file.group(top);
  const std::string base = top == "/" ? "/" : top + "/";
  file.dataset(base + "conv1/conv1_W:0", {1, 1, 2, 1}, {1, -2});
  file.dataset(base + "conv1/conv1_b:0", {1}, {0.5f});
  file.dataset(base + "fire2/squeeze1x1/fire2/squeeze1x1_b:0", {2}, {3, 4});
  file.group(base + "relu");
  file.strings(top, "layer_names", {"conv1", "relu", "fire2/squeeze1x1"}, kind);
  file.strings(base + "conv1", "weight_names", {"conv1_W:0", "conv1_b:0"}, kind);
  file.empty_list(base + "relu", "weight_names");
  file.strings(base + "fire2/squeeze1x1", "weight_names", {"fire2/squeeze1x1_b:0"}, kind);
}

void expect_keras1(const WeightFile& file) {
  ASSERT_EQ(file.layers.size(), 2u);
  EXPECT_EQ(file.layers[0].name, "conv1");
  ASSERT_EQ(file.layers[0].arrays.size(), 2u);
  EXPECT_EQ(file.layers[0].arrays[0].name, "conv1_W:0");
  EXPECT_EQ(file.layers[0].arrays[0].array.shape, (std::vector<std::int64_t>{1, 1, 2, 1}));
  EXPECT_EQ(*file.layers[0].arrays[0].array.data, (std::vector<float>{1, -2}));
  EXPECT_EQ(file.layers[1].name, "fire2/squeeze1x1");
  EXPECT_EQ(*file.layers[1].arrays[0].array.data, (std::vector<float>{3, 4}));
  EXPECT_TRUE(file.has_layer("fire2_squeeze1x1"));
  EXPECT_FALSE(file.has_layer("fire2"));
}

TEST(ReadWeights, NamesOfFixedAndVariableLengthBesideOrBelowModelWeights) {
  for (const Strings kind : {Strings::kFixed, Strings::kVariable}) {
    for (const std::string top : {"/", "/model_weights"}) {
      const TempFile temp(".h5");
      write_keras1(Writer(temp.path()), top, kind);
      const WeightFile file = read_weight_file(temp.path());
      EXPECT_EQ(file.format, top == "/" ? "keras-h5" : "keras-h5-model");
      EXPECT_EQ(file.path, temp.path());
      EXPECT_EQ(file.sha256.size(), 64u);
      expect_keras1(file);
    }
  }
}

// Keras splits attributes beyond 64 KiB.
TEST(ReadWeights, JoinsSplitListsOfNames) {
  const TempFile temp(".h5");
  {
    const Writer file(temp.path());
    for (const std::string layer : {"a", "b", "c"}) {
      file.dataset("/" + layer + "/" + layer + "/kernel:0", {1}, {1});
      file.dataset("/" + layer + "/" + layer + "/bias:0", {1}, {2});
      file.strings("/" + layer, "weight_names0", {layer + "/kernel:0"});
      file.strings("/" + layer, "weight_names1", {layer + "/bias:0"});
    }
    file.strings("/", "layer_names0", {"a", "b"});
    file.strings("/", "layer_names1", {"c"});
  }
  const WeightFile file = read_weight_file(temp.path());
  ASSERT_EQ(file.layers.size(), 3u);
  EXPECT_EQ(file.layers[2].name, "c");
  ASSERT_EQ(file.layers[2].arrays.size(), 2u);
  EXPECT_EQ(file.layers[2].arrays[1].name, "c/bias:0");
}

TEST(ReadWeights, ConvertsEveryFloatingPointTypeAndInflates) {
  const H5Handle half(H5Tcopy(H5T_IEEE_F32LE), H5Tclose);
  H5Tset_fields(half.get(), 15, 10, 5, 0, 10);
  H5Tset_size(half.get(), 2);
  H5Tset_ebias(half.get(), 15);
  const TempFile temp(".h5");
  {
    const Writer file(temp.path());
    file.dataset("/d/half", {3}, {1, -0.25f, 65504}, {.type = half.get()});
    file.dataset("/d/double", {1}, {0.1f}, {.type = H5T_IEEE_F64LE});
    file.dataset("/d/big_endian", {1}, {0.1f}, {.type = H5T_IEEE_F32BE});
    file.dataset("/d/deflated", {1000}, std::vector<float>(1000, 7), {.deflate = true});
    file.strings("/", "layer_names", {"d"});
    file.strings("/d", "weight_names", {"half", "double", "big_endian", "deflated"});
  }
  const WeightFile file = read_weight_file(temp.path());
  ASSERT_EQ(file.layers.size(), 1u);
  const auto values = [&](std::size_t i) { return *file.layers[0].arrays[i].array.data; };
  EXPECT_EQ(values(0), (std::vector<float>{1, -0.25f, 65504}));
  EXPECT_EQ(values(1), std::vector<float>{0.1f});
  EXPECT_EQ(values(2), std::vector<float>{0.1f});
  EXPECT_EQ(values(3), std::vector<float>(1000, 7));
}

void write_keras3(const std::string& path, bool named) {
  const Writer file(path);
  for (const int i : {0, 1, 2, 10}) {  // HDF5 lists conv2d_10 before conv2d_2
    const std::string group = i == 0 ? "/layers/conv2d" : "/layers/conv2d_" + std::to_string(i);
    for (int v = 0; v < 11; ++v)
      file.dataset(group + "/vars/" + std::to_string(v), {1}, {static_cast<float>(100 * i + v)});
    if (named) file.string(group + "/vars", "name", "my_conv_" + std::to_string(i));
  }
  file.group("/layers/activation/vars");
  file.group("/layers/dropout/seed_generator/vars");
  file.group("/optimizer/vars");
  file.group("/vars");
}

void expect_keras3(const WeightFile& file, bool named) {
  ASSERT_EQ(file.layers.size(), 4u);
  EXPECT_EQ(file.layers[0].group, "conv2d");
  EXPECT_EQ(file.layers[2].group, "conv2d_2");
  EXPECT_EQ(file.layers[3].group, "conv2d_10");
  EXPECT_EQ(file.layers[3].name, named ? "my_conv_10" : "");
  ASSERT_EQ(file.layers[3].arrays.size(), 11u);
  EXPECT_EQ(file.layers[3].arrays[10].name, "10");
  EXPECT_EQ(*file.layers[3].arrays[10].array.data, std::vector<float>{1010});
}

TEST(ReadWeights, SortsKeras3GroupsNumerically) {
  for (const bool named : {true, false}) {
    const TempFile temp(".weights.h5");
    write_keras3(temp.path(), named);
    const WeightFile file = read_weight_file(temp.path());
    EXPECT_EQ(file.format, "keras3-weights");
    expect_keras3(file, named);
  }
}

TEST(ReadWeights, KerasArchiveStoredOrDeflated) {
  for (const int method : {ZIP_CM_STORE, ZIP_CM_DEFLATE}) {
    const TempFile weights(".weights.h5"), archive(".keras");
    write_keras3(weights.path(), true);
    std::filesystem::remove(archive.path());
    zip_t* zip = zip_open(archive.path().c_str(), ZIP_CREATE, nullptr);
    ASSERT_NE(zip, nullptr);
    zip_file_add(zip, "config.json", zip_source_buffer(zip, "{}", 2, 0), 0);
    const auto index = zip_file_add(zip, "model.weights.h5", zip_source_file(zip, weights.path().c_str(), 0, -1), 0);
    zip_set_file_compression(zip, static_cast<zip_uint64_t>(index), method, 0);
    ASSERT_EQ(zip_close(zip), 0);
    const WeightFile file = read_weight_file(archive.path());
    EXPECT_EQ(file.format, "keras3-archive");
    expect_keras3(file, true);
  }
}

std::string real_file(const std::string& name) {
  const char* folder = std::getenv("GPUEVAL_DATA");
  return std::string(folder != nullptr ? folder : GPUEVAL_DEFAULT_DATA) + "/weights/" + name;
}

TEST(ReadWeights, PublishedMobileNetAndSqueezeNet) {
  struct Case {
    const char* file;
    std::size_t layers;
    std::int64_t parameters;
    const char* layer;
  };
  for (const Case& c : {Case{"mobilenet_2_5_224_tf.h5", 55, 475'544, "conv_preds"},
                        Case{"squeezenet_weights_tf_dim_ordering_tf_kernels.h5", 26, 1'235'496, "fire9/expand3x3"}}) {
    const std::string path = real_file(c.file);
    if (!std::filesystem::exists(path)) GTEST_SKIP() << "there is no " << path;
    const WeightFile file = read_weight_file(path);
    EXPECT_EQ(file.layers.size(), c.layers);
    EXPECT_TRUE(file.has_layer(c.layer));
    std::int64_t parameters = 0;
    for (const WeightLayer& layer : file.layers) {
      for (const WeightArray& array : layer.arrays) parameters += array.array.elements();
    }
    EXPECT_EQ(parameters, c.parameters);
  }
}

}  // namespace
}  // namespace gpueval
