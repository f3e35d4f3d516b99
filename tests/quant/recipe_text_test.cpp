// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "gpueval/error.h"
#include "gpueval/models.h"
#include "gpueval/recipe.h"

namespace gpueval::test {
namespace {

TEST(RecipeText, RoundTrip) {
  for (const std::string text :
       {"best", "best -gptq -asymmetric", "maxabs +bias-correction", "maxabs +analytic-bias", "percentile 99.9 +gptq"})
    EXPECT_EQ(recipe_text(parse_recipe(text)), text);
  EXPECT_ANY_THROW(parse_recipe("best gptq"));
  EXPECT_ANY_THROW(parse_recipe("best +magic"));
  EXPECT_ANY_THROW(parse_recipe(""));
}

TEST(RoundingNote, NamesWhatGptqLeavesAlone) {
  const Graph vgg16 = find_model("vgg16").build({});
  const auto note = rounding_note(vgg16, parse_recipe("best"));
  ASSERT_TRUE(note.has_value());
  EXPECT_NE(note->find("fc1 of vgg16"), std::string::npos) << *note;
  EXPECT_FALSE(rounding_note(vgg16, parse_recipe("maxabs")).has_value());
  EXPECT_FALSE(rounding_note(find_model("squeezenet").build({}), parse_recipe("best")).has_value());
}

TEST(RecipeRequest, DefaultsAndWhatBuildsOnThem) {
  EXPECT_EQ(recipe_text(settle({})), "best");
  EXPECT_EQ(recipe_text(settle({}, Scheme::kMaxAbs)), "maxabs");
  EXPECT_EQ(recipe_text(settle({.corrections = {{"gptq", false}}})), "best -gptq -asymmetric");
  EXPECT_EQ(recipe_text(settle({.corrections = {{"analytic-bias", true}}})),
            "best -bias-correction -bias-after-activation +analytic-bias");
  EXPECT_EQ(settle({.activations = DType::kS8}).activations, DType::kS8);
}

TEST(RecipeRequest, ContradictionsAreUsageErrors) {
  for (const std::map<std::string, bool>& corrections :
       {std::map<std::string, bool>{{"gptq", false}, {"asymmetric", true}},
        {{"bias-correction", false}, {"bias-after-activation", true}},
        {{"analytic-bias", true}, {"bias-correction", true}}}) {
    try {
      settle({.corrections = corrections});
      ADD_FAILURE() << corrections.begin()->first;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage) << error.what();
    }
  }
}

TEST(RecipeRequest, TakesWhatTheTableHas) {
  CalibrationTable table;
  table.scheme = "percentile 99.9 +gptq";
  table.activations = "s8";
  const QuantOptions adopted = settle(with_table({}, table, "t.json"));
  EXPECT_EQ(recipe_text(adopted), "percentile 99.9 +gptq");
  EXPECT_EQ(adopted.activations, DType::kS8);
  const QuantOptions asked = settle(with_table({.scheme = Scheme::kMse}, table, "t.json"));
  EXPECT_EQ(recipe_text(asked), "mse") << "what was asked for stays, for check_table() to refuse";
  table.scheme = "kl";
  try {
    with_table({}, table, "t.json");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("t.json: the scheme 'kl' of the table is unknown"), std::string::npos);
  }
}

}  // namespace
}  // namespace gpueval::test
