// SPDX-License-Identifier: Apache-2.0
// Answers that are likely not what they were meant to be have a warning.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gpueval/session.h"
#include "io/annotated_files.h"

namespace gpueval {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class JudgedMasks : public test::AnnotatedTest {
 protected:
  // Six pictures, of classes 0 and 1 in turn.
  void SetUp() override {
    for (int i = 0; i < 6; ++i) {
      picture("truth/images/" + std::to_string(i) + ".png");
      mask("truth/masks/" + std::to_string(i) + ".png", static_cast<std::uint8_t>(i % 2));
    }
  }
  Report judge(std::uint8_t first, std::uint8_t second) const {
    for (int i = 0; i < 6; ++i) mask("answers/" + std::to_string(i) + ".png", i % 2 == 0 ? first : second);
    return judge_answers(
        {.task = "segmentation", .truth = folder_ / "truth", .answers = folder_ / "answers", .map = ClassMap{}});
  }
};

TEST_F(JudgedMasks, AnswersOfNoClassAreTold) {
  EXPECT_THAT(judge(0, 1).warnings, IsEmpty());
  const Report report = judge(0, 255);
  EXPECT_EQ(report.runs[0].accuracy->headline(), 0.5);
  EXPECT_THAT(report.warnings, ElementsAre(HasSubstr("36 of the 72 pixels that are judged have the answer 255"),
                                           HasSubstr("the file finds 1 of the 2 classes on 6 images")));
  EXPECT_THAT(judge(0, 0).warnings, ElementsAre(HasSubstr("finds 1 of the 2 classes")));
}

}  // namespace
}  // namespace gpueval
