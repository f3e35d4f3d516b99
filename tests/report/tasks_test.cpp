// SPDX-License-Identifier: Apache-2.0
// Forms of results of detection and segmentation: values by class, curves, `gpu_eval compare`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "gpueval/error.h"
#include "sample_report.h"
#include "task/detection/matching.h"
#include "task/segmentation/confusion.h"

namespace gpueval {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

Report task_report(const std::string& task, const std::vector<std::vector<Score>>& rows) {
  Report report = test::sample_report();
  report.task = task;
  for (std::size_t i = 0; i < report.runs.size(); ++i) {
    RunReport& run = report.runs[i];
    run.speed.reset();
    run.accuracy = AccuracyResult{};
    run.accuracy->samples = rows[i];
    run.accuracy->pairs.clear();
    run.vs_first.reset();
    summarise(find_task(task), *run.accuracy);
    run.accuracy->logits_sha256 = std::string(64, 'c');
  }
  return report;
}

// Ten pictures of four pixels, two of each class; the second row takes one of class 1 for class 0.
Report segmentation_report(int classes = 3) {
  const LabelMap truth{2, 2, {0, 0, 1, 1}};
  const std::vector<std::uint8_t> right{0, 0, 1, 1}, wrong{0, 0, 0, 1};
  std::vector<std::vector<Score>> rows(2);
  for (int i = 0; i < 10; ++i) {
    rows[0].push_back(confusion_score(truth, right, classes));
    rows[1].push_back(confusion_score(truth, wrong, classes));
  }
  Report report = task_report("segmentation", rows);
  report.data->class_names = {"background", "<cat>", "dog"};
  return report;
}

// Two boxes of two classes a picture; the second row finds one of them, or none.
Report detection_report(bool finds_first = true) {
  const Box here{10, 10, 40, 40}, there{100, 100, 50, 50};
  const std::vector<TruthBox> truth{{0, here, here.area()}, {2, there, there.area()}};
  const std::vector<Detection> both{{0, .9, here}, {2, .8, there}};
  const std::vector<Detection> one{{finds_first ? 0 : 1, .9, here}};
  std::vector<std::vector<Score>> rows(2);
  for (int i = 0; i < 4; ++i) {
    rows[0].push_back(detection_score(both, truth));
    rows[1].push_back(detection_score(one, truth));
  }
  Report report = task_report("detection", rows);
  report.data->class_names = {"cat", "dog", "horse"};
  return report;
}

TEST(ValuesByClass, ThoseThatDifferMostFirst) {
  const std::string text = to_table(segmentation_report());
  EXPECT_THAT(text, HasSubstr("IoU by class, those that differ most first:"));
  EXPECT_THAT(text, ContainsRegex("<cat> +100.00% +50.00% +-50.00\nbackground +100.00% +66.67% +-33.33\n"));
  EXPECT_THAT(text, Not(HasSubstr("dog"))) << "which nothing is of";
  EXPECT_THAT(to_html(segmentation_report()), HasSubstr("&lt;cat&gt;</td><td>100.00%</td><td>50.00%</td>"));
  EXPECT_THAT(to_table(detection_report()), ContainsRegex("horse +100.00% +0.00% +-100.00\ncat +100.00% +100.00%"));
  EXPECT_THAT(to_table(test::sample_report()), Not(HasSubstr("by class"))) << "a classification";
}

TEST(ValuesByClass, ConsoleShowsTwenty) {
  LabelMap truth{1, 25, std::vector<std::uint8_t>(25)};
  for (std::size_t i = 0; i < 25; ++i) truth.classes[i] = static_cast<std::uint8_t>(i);
  std::vector<std::uint8_t> found = truth.classes;
  found[3] = 4;
  Report report =
      task_report("segmentation", {{confusion_score(truth, truth.classes, 25)}, {confusion_score(truth, found, 25)}});
  EXPECT_THAT(to_table(report), AllOf(HasSubstr("The IoU of 5 more classes differs by at most 0.00 points"),
                                      ContainsRegex("class 3 +100.00% +0.00%"), Not(HasSubstr("class 24"))));
  EXPECT_THAT(to_html(report), HasSubstr("class 24"));
  report.runs.erase(report.runs.begin());
  EXPECT_THAT(to_table(report), AllOf(ContainsRegex("the lowest first:\n.*\n.*\nclass 3 +0.00%\nclass 4 +50.00%"),
                                      HasSubstr("The IoU of 5 more classes is 100.00% or more")));
}

TEST(ValuesByClass, TablesOfNetworksHaveThemAll) {
  TableReport table;
  table.networks.push_back({"unet", {}, "", segmentation_report()});
  EXPECT_THAT(to_markdown(table), AllOf(HasSubstr("| mIoU | pixels |"), HasSubstr("### unet: IoU by class"),
                                        HasSubstr("| \\<cat\\> | 100.00% | 50.00% | -50.00 |")));
  EXPECT_THAT(to_html(table), HasSubstr("&lt;cat&gt;</td><td>100.00%</td><td>50.00%</td>"));
  EXPECT_THAT(to_text(table), AllOf(HasSubstr("mIoU"), Not(HasSubstr("top-1"))));
}

// A number of one task never stands below the name of another's.
TEST(NetworksOfSeveralTasks, HaveATableEach) {
  TableReport table;
  table.networks.push_back({"missing", {}, "no weights", std::nullopt});
  table.networks.push_back({"unet", {}, "", segmentation_report()});
  table.networks.push_back({"ssd", {}, "", detection_report()});
  table.networks.push_back({"gone", {}, "no weights", std::nullopt});
  table.networks.push_back({"unet_2", {}, "", segmentation_report()});
  const std::string text = to_text(table);
  EXPECT_THAT(text,
              ContainsRegex("network +precision +mIoU +pixels.*\n-.*\nmissing +not measured\nunet .*\n.*\nunet_2 "));
  EXPECT_THAT(text, ContainsRegex("\n\nnetwork +precision +AP +AP50.*\n-.*\nssd .*\n.*\ngone +not measured\n"));
  EXPECT_THAT(text, AllOf(HasSubstr("mIoU: mean over"), HasSubstr("AP: COCO's"), Not(HasSubstr("top-1"))));
  EXPECT_THAT(to_markdown(table), AllOf(HasSubstr("| mIoU | pixels |"), HasSubstr("| AP | AP50 |")));
  EXPECT_THAT(to_html(table), AllOf(HasSubstr("<th>mIoU</th>"), HasSubstr("<th>AP</th>")));
}

TEST(Curves, OneForTheMeanAndOneForEachClassOfFew) {
  const std::string html = to_html(detection_report());
  std::size_t charts = 0;
  for (std::size_t at = 0; (at = html.find("<figure>", at)) != std::string::npos; ++at) ++charts;
  EXPECT_EQ(charts, 3u) << "the mean, cat and horse; no dog is there";
  EXPECT_THAT(html, HasSubstr("<figcaption>mean over the classes</figcaption>"));
  EXPECT_THAT(to_html(segmentation_report()), Not(HasSubstr("<figure>")));
}

class CompareTasks : public ::testing::Test {
 protected:
  CompareTasks()
      : stem_((std::filesystem::temp_directory_path() / ("gpueval_tasks_" + std::to_string(::getpid()))).string()) {}
  ~CompareTasks() override {
    std::filesystem::remove(stem_ + "a");
    std::filesystem::remove(stem_ + "b");
  }
  std::string compared(const std::string& a, const std::string& b) const {
    std::ofstream(stem_ + "a") << a;
    std::ofstream(stem_ + "b") << b;
    return compare_results(stem_ + "a", stem_ + "b");
  }
  std::string compared(const Report& a, const Report& b) const { return compared(to_json(a), to_json(b)); }
  // What is said of a result with another value of a field; nothing: the field is left out.
  std::string refusal(const Report& report, const char* pointer, const nlohmann::json& value) const {
    nlohmann::json json = nlohmann::json::parse(to_json(report));
    json[nlohmann::json::json_pointer(pointer)] = value;
    try {
      compared(to_json(report), json.dump());
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  }
  std::string stem_;
};

TEST_F(CompareTasks, ShowsTheMetricsOfTheTask) {
  const std::string text = compared(detection_report(), detection_report(false));
  EXPECT_THAT(text, ContainsRegex("int8 maxabs +AP +50.00% +0.00% +-50.00 points"));
  EXPECT_THAT(text, ContainsRegex("int8 maxabs +AP50 +50.00% +0.00% +-50.00 points"));
  EXPECT_THAT(text, ContainsRegex("float32 +VOC 2010 AP +100.00% +100.00% +\\+0.00 points"));
  EXPECT_THAT(text, Not(HasSubstr("AP small"))) << "there is no such box";
  EXPECT_THAT(text, AllOf(HasSubstr("no answers picture by picture, so the difference is not"),
                          HasSubstr("float32: outputs are identical bit for bit.")));
  EXPECT_THAT(
      compared(segmentation_report(), segmentation_report()),
      AllOf(ContainsRegex("int8 maxabs +mIoU +58.33% +58.33% +\\+0.00"), ContainsRegex("int8 maxabs +pixels +75.00%"),
            ContainsRegex("interval\\s+of\\s+mIoU:\\s+58.33%\\s+to\\s+58.33%\\s+in\\s+A")));
}

TEST_F(CompareTasks, AnswersStandBesideEveryRow) {
  Report answers = detection_report();
  answers.runs.erase(answers.runs.begin());
  answers.runs[0].precision = "answers";
  answers.runs[0].scheme = answers.runs[0].activations = "";
  answers.runs[0].accuracy->logits_sha256 = answers.runs[0].accuracy->logits_tree_sha256 = "";
  EXPECT_THAT(compared(detection_report(), answers),
              AllOf(ContainsRegex("float32 / answers +AP +100.00% +50.00%"),
                    ContainsRegex("int8 maxabs / answers +AP +50.00% +50.00%"), Not(HasSubstr("identical"))));
  EXPECT_THAT(compared(answers, answers), ContainsRegex("answers +AP +50.00% +50.00%"));
}

TEST_F(CompareTasks, OtherTasksDoNotCompare) {
  EXPECT_THAT(compared(detection_report(), segmentation_report()),
              HasSubstr("A is of detection, B of segmentation: nothing to compare."));
  EXPECT_THAT(compared(test::sample_report(), segmentation_report()), HasSubstr("A is of classification"));
}

TEST_F(CompareTasks, DamagedFieldsAreNamed) {
  const Report d = detection_report(), s = segmentation_report();
  EXPECT_THAT(refusal(d, "/runs/1/accuracy/ap", 1.5),
              HasSubstr("'runs[1].accuracy.ap': expected a number from 0 to 1"));
  EXPECT_THAT(refusal(d, "/runs/1/accuracy/ar_large", "x"),
              HasSubstr("'runs[1].accuracy.ar_large': expected a finite"));
  EXPECT_THAT(refusal(d, "/runs/1/accuracy/ap_ci95", {0.6, 0.5}),
              HasSubstr("'runs[1].accuracy.ap_ci95': expected a list"));
  EXPECT_THAT(refusal(d, "/runs/1/accuracy/ap_ci95", 3), HasSubstr("'runs[1].accuracy.ap_ci95': expected a list"));
  EXPECT_THAT(refusal(s, "/runs/0/accuracy/miou", nlohmann::json::object()), HasSubstr("'runs[0].accuracy.miou'"));
  EXPECT_THAT(refusal(s, "/runs/0/accuracy", nlohmann::json::object()),
              HasSubstr("'runs[0].accuracy.images' is missing"));
  EXPECT_THAT(refusal(s, "/task", "depth"),
              HasSubstr("'task': expected one of classification, segmentation, detection"));
  EXPECT_THAT(refusal(s, "/task", "detection"), HasSubstr("'runs[0].accuracy.ap' is missing"));
}

}  // namespace
}  // namespace gpueval
