// SPDX-License-Identifier: Apache-2.0
// Guards the networks' definitions: a wrong layer changes a count or a published figure of multiply-adds.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "golden.h"
#include "gpueval/error.h"
#include "gpueval/models.h"
#include "graph/op_row.h"
#include "graph/passes.h"
#include "models/demo.h"

namespace gpueval {
namespace {

struct Published {
  const char* graph;
  const char* model;
  double alpha;
  const char* variant;
  std::int64_t parameters;
  double multiply_adds;  // 1e6, as published or counted by hand from the papers' tables
};

const Published kPublished[] = {
    {"vgg16", "vgg16", 1, "", 138'357'544, 15470},
    {"resnet50_published", "resnet50", 1, "published", 25'636'712, 3834},
    {"resnet50_current", "resnet50", 1, "current", 25'636'712, 3858},
    {"inceptionv3", "inceptionv3", 1, "", 23'851'784, 5713},
    {"xception", "xception", 1, "", 22'910'480, 8357},
    {"mobilenet_1", "mobilenet", 1, "", 4'253'864, 569},
    {"mobilenet_0.75", "mobilenet", 0.75, "", 2'601'976, 325},
    {"mobilenet_0.5", "mobilenet", 0.5, "", 1'342'536, 149},
    {"mobilenet_0.25", "mobilenet", 0.25, "", 475'544, 41},
    {"squeezenet", "squeezenet", 1, "", 1'235'496, 353},
};

TEST(Models, HaveThePublishedParametersAndMultiplyAdds) {
  for (const Published& row : kPublished) {
    const Graph graph = find_model(row.model).build({.alpha = row.alpha, .variant = row.variant});
    EXPECT_EQ(graph.name, row.graph);
    EXPECT_EQ(graph.parameter_count(), row.parameters) << row.graph;
    EXPECT_NEAR(static_cast<double>(graph.multiply_adds()) / 1e6, row.multiply_adds, 1) << row.graph;
    EXPECT_EQ(graph.output_node().shape, (Shape{1, 1, 1, 1000})) << row.graph;
  }
}

struct Layout {
  const char *model, *variant;
  std::int64_t parameters;
  double multiply_adds;  // 1e9
  std::vector<Shape> outputs;
};

// Those of ssd_keras and of the original research; DeepLab's as counted of its layers in Keras.
TEST(Models, ThatDetectAndSegmentHaveTheirParametersAndOutputs) {
  const std::vector<Layout> layouts{
      {"ssd300", "", 26'285'486, 31.4, {{1, 8732, 1, 4}, {1, 8732, 1, 21}}},
      {"ssd300", "81_classes", 34'305'206, 34.4, {{1, 8732, 1, 4}, {1, 8732, 1, 81}}},
      {"ssd512", "", 27'188'676, 90.2, {{1, 24564, 1, 4}, {1, 24564, 1, 21}}},
      {"ssd512", "81_classes", 36'038'196, 98.6, {{1, 24564, 1, 4}, {1, 24564, 1, 81}}},
      {"unet", "", 9'553'474, 40.1, {{1, 256, 256, 2}}},
      {"unet", "5_classes", 9'553'669, 40.1, {{1, 256, 256, 5}}},
      {"unet_standard", "", 31'031'685, 54.6, {{1, 256, 256, 1}}},
      {"deeplabv3plus_mobilenetv2", "", 2'146'645, 8.56, {{1, 64, 64, 21}}},
      {"deeplabv3plus_mobilenetv2", "19_classes", 2'146'131, 8.56, {{1, 64, 64, 19}}},
  };
  for (const Layout& row : layouts) {
    SCOPED_TRACE(fmt::format("{} {}", row.model, row.variant));
    const Graph graph = find_model(row.model).build({.variant = row.variant});
    EXPECT_EQ(graph.parameter_count(), row.parameters);
    EXPECT_NEAR(static_cast<double>(graph.multiply_adds()) / 1e9, row.multiply_adds, 0.05);
    std::vector<Shape> shapes;
    for (const GraphOutput& out : graph.outputs) shapes.push_back(graph.node(out.node).shape);
    EXPECT_EQ(shapes, row.outputs);
  }
}

TEST(Models, KeepTheShapesThatTellVariantsApart) {
  const auto shape = [](const char* variant, const char* layer) {
    const Graph graph = find_model("resnet50").build({.variant = variant});
    return graph.nodes.at(static_cast<std::size_t>(graph.find(layer))).shape;
  };
  EXPECT_EQ(shape("published", "pool1"), (Shape{1, 55, 55, 64}));
  EXPECT_EQ(shape("current", "pool1_pool"), (Shape{1, 56, 56, 64}));
  const auto eps = [](const char* variant) {
    std::set<float> found;
    for (const Node& node : find_model("resnet50").build({.variant = variant}).nodes) {
      if (const auto* norm = std::get_if<BatchNorm>(&node.op)) found.insert(norm->eps);
    }
    return found;
  };
  EXPECT_EQ(eps("published"), std::set<float>{1e-3f});
  EXPECT_EQ(eps("current"), std::set<float>{1.001e-5f});
}

TEST(Models, EveryRowBuildsAndNamesItsFiles) {
  std::set<std::string> names;
  for (const ModelSpec& spec : models()) {
    EXPECT_TRUE(names.insert(spec.name).second) << spec.name;
    EXPECT_FALSE(spec.description.empty()) << spec.name;
    for (const double alpha : spec.alphas) {
      const ModelOptions options{.alpha = alpha, .variant = {}};
      const Graph graph = spec.build(options);
      EXPECT_EQ(graph.input_node().shape, (Shape{1, spec.input.height, spec.input.width, spec.input.channels}))
          << graph.name;
      EXPECT_EQ(spec.truth == TruthKind::kBoxes, graph.outputs.size() == 2) << graph.name;
      EXPECT_EQ(spec.weight_files(options).empty(), embeds_weights(spec.name))
          << graph.name;  // the demo's are in the program
      EXPECT_FALSE(spec.published_at.empty()) << graph.name;
      const Graph passed = fuse_activation(fold_padding(expand_separable(graph)));  // the rules hold behind passes, too
      for (const Node& node : passed.nodes) EXPECT_EQ(output_shape(passed, node), node.shape) << node.name;
    }
  }
  EXPECT_EQ(find_model("mobilenet").weight_files({.alpha = 0.25, .variant = {}}).front(), "mobilenet_2_5_224_tf.h5");
}

template <typename Call>
std::string message(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    return error.what();
  }
  return "no error";
}

// docs/preprocessing.md has the table of the networks' own inputs.
TEST(Models, InputsAreThoseOfTheDocumentation) {
  std::ifstream file(GPUEVAL_SOURCE_DIR "/docs/preprocessing.md");
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  for (const ModelSpec& spec : models()) {
    const std::string row =
        fmt::format("| {} | {} | {} |\n", spec.name, to_string(InputSize{spec.input.height, spec.input.width}),
                    to_string(spec.input.normalization));
    EXPECT_NE(text.find(row), std::string::npos) << row;
  }
}

// logits_test.cpp compares some of other sizes with Keras.
TEST(Models, TakeOtherInputSizes) {
  for (const ModelSpec& spec : models()) {
    if (spec.name == "vgg16" || spec.truth != TruthKind::kClass) continue;
    const Graph graph = spec.build({.height = 128, .width = 200});
    EXPECT_EQ(graph.input_node().shape, (Shape{1, 128, 200, 3})) << spec.name;
    EXPECT_EQ(graph.parameter_count(), spec.build({}).parameter_count()) << spec.name;
    EXPECT_EQ(graph.output_node().shape, (Shape{1, 1, 1, spec.labels.classes})) << spec.name;
    EXPECT_EQ(input_spec(spec, graph), (InputSpec{128, 200, spec.input.normalization}));
  }
  // Keras's own least sizes, where it has one.
  EXPECT_NO_THROW(find_model("inceptionv3").build({.height = 75, .width = 75}));
  EXPECT_EQ(message([] { find_model("inceptionv3").build({.height = 74, .width = 90}); }),
            "inceptionv3 takes no input of 74x90: of so few pixels none is left in its layer 'conv2d_71'");
  EXPECT_NE(message([] { find_model("squeezenet").build({.height = 2, .width = 90}); }).find("layer 'conv1'"),
            std::string::npos)
      << "less than the first window";
  EXPECT_NO_THROW(find_model("mobilenet").build({.height = 1, .width = 1}));
  EXPECT_NE(message([] { find_model("mobilenet").build({.height = -1}); }).find("no input of -1x224"),
            std::string::npos);
}

TEST(Models, ThatDetectAndSegmentTakeOtherSizes) {
  const auto shape = [](const char* model, int height, int width) {
    return find_model(model).build({.height = height, .width = width}).outputs.back().node;
  };
  EXPECT_NO_THROW(shape("ssd300", 257, 400));
  EXPECT_NE(message([&] { shape("ssd300", 256, 300); }).find("none is left in its layer 'conv9_2'"), std::string::npos);
  EXPECT_NE(message([&] { shape("ssd512", 256, 512); }).find("'conv10_2'"), std::string::npos);
  EXPECT_NO_THROW(shape("unet", 96, 32));
  EXPECT_EQ(message([&] { shape("unet", 100, 128); }),
            "unet takes no input of 100x128: both sides must be multiples of 32, so that its maps meet on the way back "
            "up");
  EXPECT_NE(message([&] { shape("unet_standard", 128, 200); }).find("multiples of 16"), std::string::npos);
  EXPECT_EQ(find_model("deeplabv3plus_mobilenetv2").build({.height = 128, .width = 201}).output_node().shape,
            (Shape{1, 16, 26, 21}));
}

TEST(Models, Vgg16TakesTheSizesOfItsDenseLayers) {
  const auto build = [](int height, int width) {
    return find_model("vgg16").build({.height = height, .width = width});
  };
  EXPECT_EQ(build(255, 230).parameter_count(), 138357544);
  for (const auto& [height, width] : {std::pair{223, 224}, {224, 256}, {32, 32}, {20, 224}}) {
    EXPECT_EQ(
        message([&, h = height, w = width] { build(h, w); }),
        fmt::format("vgg16 takes no input of {}x{}: its dense layers have weights for 7x7 pixels, so both sides must "
                    "be 224 to 255; the other networks end in a global pooling and take other sizes",
                    height, width));
  }
}

TEST(Models, RefuseUnknownNames) {
  EXPECT_NE(message([] { find_model("alexnet"); }).find("'alexnet' is unknown: expected one of vgg16, resnet50"),
            std::string::npos);
  EXPECT_NE(message([] { find_model("mobilenet").build({.alpha = 0.3, .variant = {}}); }).find("alpha 0.3"),
            std::string::npos);
  EXPECT_NE(message([] { find_model("resnet50").build({.alpha = 1, .variant = "v2"}); }).find("'v2'"),
            std::string::npos);
  for (const char* variant : {"coco", "0_classes", "_classes", "81", "-1_classes", "99999999999_classes"}) {
    EXPECT_NE(message([&] { find_model("ssd300").build({.variant = variant}); }).find("as '21_classes'"),
              std::string::npos)
        << variant;
  }
}

TEST(Models, ResNetVariantComesFromTheLayerNames) {
  const auto detect = [](const char* layer, const char* format) {
    WeightFile file;
    file.format = format;
    file.layers.push_back({.name = layer, .group = {}, .arrays = {}});
    return find_model("resnet50").detect_variant(file);
  };
  EXPECT_EQ(detect("res2a_branch2a", "keras-h5"), "published");
  EXPECT_EQ(detect("res2a_branch2a", "keras3-weights"), "published");
  EXPECT_EQ(detect("conv2_block1_1_conv", "keras-h5"), "current");
  EXPECT_EQ(detect("", "keras3-archive"), "current");  // Keras 3 never had the other one
}

// A swap of two layers of one shape loads silently; this order is what Keras itself uses.
TEST(Models, LayerOrderIsKerassOwn) {
  const std::vector<Golden> all = goldens();
  const auto own_size = [](const Golden& golden) { return !golden.json.contains("height"); };
  ASSERT_EQ(std::count_if(all.begin(), all.end(), own_size), std::ssize(kPublished));
  for (const Golden& golden : all) {
    const Graph graph = golden.build();
    std::vector<std::string> names;
    for (const int i : keras_layer_order(graph)) names.push_back(graph.node(i).name);
    EXPECT_EQ(names, golden.json.at("layer_order").get<std::vector<std::string>>()) << golden.name;
    EXPECT_EQ(graph.parameter_count(), golden.json.at("parameters").get<std::int64_t>()) << golden.name;
  }
}

}  // namespace
}  // namespace gpueval
