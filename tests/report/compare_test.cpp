// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "gpueval/error.h"
#include "sample_report.h"

namespace gpueval {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

Report with_server(double bound_ms, double rate) {
  Report report = test::sample_report();
  report.scenario = "server";
  report.runs[1].server =
      ServerResult{.latency_bound_ms = bound_ms, .queries_per_second = rate, .capacity = 100, .valid = true};
  return report;
}

class Compare : public ::testing::Test {
 protected:
  Compare()
      : stem_((std::filesystem::temp_directory_path() / ("gpueval_compare_" + std::to_string(::getpid()))).string()) {}
  ~Compare() override {
    std::filesystem::remove(stem_ + "a");
    std::filesystem::remove(stem_ + "b");
  }
  std::string text(const Report& a, const Report& b) const {
    std::ofstream(stem_ + "a") << to_json(a);
    std::ofstream(stem_ + "b") << to_json(b);
    return compare_results(stem_ + "a", stem_ + "b");
  }
  std::string stem_;
};

TEST_F(Compare, PairsTheAnswersOfTheSameImages) {
  Report b = test::sample_report();
  b.runs.erase(b.runs.begin());
  b.runs[0].precision = "float32";  // int8's answers against float32's: 1 only in B, 3 only in A
  b.runs[0].scheme = b.runs[0].activations = "";
  const std::string out = text(test::sample_report(), b);
  EXPECT_NE(out.find("float32: same images: 1 right only in B, 3 only in A; exact McNemar test p 0.62."),
            std::string::npos)
      << out;
  EXPECT_NE(out.find("-0.40 points"), std::string::npos) << out;
  EXPECT_NE(out.find("3.100x"), std::string::npos) << out;
}

TEST_F(Compare, OtherImagesAreNotPaired) {
  const auto unpaired = [&](auto&& change) {
    Report b = test::sample_report();
    change(b);
    return text(test::sample_report(), b).find("two-proportion z-test (unpaired") != std::string::npos;
  };
  EXPECT_FALSE(unpaired([](Report&) {}));
  EXPECT_TRUE(unpaired([](Report& b) { b.data->target_sha256 = std::string(64, 'd'); }));
  EXPECT_TRUE(unpaired([](Report& b) { b.data->first = 0; }));
  EXPECT_TRUE(unpaired([](Report& b) { b.data->skipped[0].index = 119; })) << "other images were skipped";
}

TEST_F(Compare, NoisySpeedIsToldBesideTheNumbers) {
  EXPECT_THAT(text(test::sample_report(), test::sample_report()), Not(HasSubstr("speed is")));
  Report b = test::sample_report();
  b.runs[1].speed->noise = {"it varies"};
  EXPECT_THAT(text(test::sample_report(), b), ContainsRegex("int8 maxabs +speed is +VALID +NOISY"));
  b.runs[1].speed->valid = false;
  EXPECT_THAT(text(b, test::sample_report()), ContainsRegex("int8 maxabs +speed is +INVALID +VALID"));
  b.runs[1].speed->emulated = true;
  EXPECT_THAT(text(b, test::sample_report()), AllOf(ContainsRegex("int8 maxabs +speed is +emulated +VALID"),
                                                    Not(ContainsRegex("int8 maxabs +images/s"))));
}

TEST_F(Compare, Top5OfFiveClassesTellsNothing) {
  Report few = test::sample_report();
  EXPECT_THAT(text(few, few), ContainsRegex("float32 +top-5 +[0-9.]+% +[0-9.]+% "));
  few.model.classes = 5;
  EXPECT_THAT(text(few, few), AllOf(ContainsRegex("float32 +top-1 +[0-9.]+%"), ContainsRegex("float32 +top-5 +- +-")));
}

TEST_F(Compare, RunsWithoutACounterpartSaySo) {
  Report b = test::sample_report();
  for (RunReport& run : b.runs) run.precision = "float16";
  EXPECT_NE(text(test::sample_report(), b).find("nothing to compare"), std::string::npos);
}

TEST_F(Compare, NamesRowsThatOnlyOneSideHas) {
  Report b = test::sample_report();
  b.runs[1].scheme = "best";
  EXPECT_THAT(
      text(test::sample_report(), b),
      AllOf(HasSubstr("Only in A: int8 maxabs."), HasSubstr("Only in B: int8 best."), ContainsRegex("float32 +top-1")));
  for (RunReport& run : b.runs) run.precision = "float16";
  EXPECT_THAT(text(test::sample_report(), b),
              AllOf(HasSubstr("nothing to compare"), HasSubstr("Only in A: float32, int8 maxabs."),
                    HasSubstr("Only in B: float16, float16 best.")));
  Report without = test::sample_report();
  without.runs[1].accuracy.reset();
  without.runs[0].speed.reset();
  without.runs[1].speed->percentiles_ms = {{50, 1}, {95, 2}};
  EXPECT_THAT(text(test::sample_report(), without),
              AllOf(HasSubstr("int8 maxabs: accuracy: only in A."), HasSubstr("float32: speed: only in A."),
                    HasSubstr("int8 maxabs: p90 ms: only in A."), HasSubstr("int8 maxabs: p95 ms: only in B.")));
}

TEST_F(Compare, SaysWhatElseDiffers) {
  const auto differs = [&](auto&& change, const std::string& sentence) {
    Report b = test::sample_report();
    change(b);
    EXPECT_THAT(text(test::sample_report(), b), HasSubstr(sentence));
  };
  EXPECT_THAT(text(test::sample_report(), test::sample_report()), Not(HasSubstr("differ")));
  differs([](Report& b) { b.model.alpha = 0.5; }, "Networks differ: mobilenet 0.25 in A, mobilenet 0.5 in B.");
  differs([](Report& b) { b.model.weights_sha256 = std::string(64, 'f'); },
          "Weights differ: sha256 aaaaaaaaaaaa in A, sha256 ffffffffffff in B.");
  differs([](Report& b) { b.host.cpu = "Other"; }, "CPUs differ: Some CPU @ 3 GHz in A, Other in B.");
  differs([](Report& b) { b.host.threads = 1; }, "Threads differ: 2 in A, 1 in B.");
  differs([](Report& b) { b.runs[0].device = "cuda"; }, "float32: devices differ: cpu in A, cuda in B.");
  differs([](Report& b) { b.runs[1].forced_kernel = "k"; }, "int8 maxabs: forced kernels differ: none in A, k in B.");
  differs([](Report& b) { b.runs[1].speed->batch = 8; }, "int8 maxabs: batch 1 in A, 8 in B.");
  differs([](Report& b) { b.data->path = "other.pkl", b.data->target_sha256 = std::string(64, 'e'); },
          "Images differ: 502 images from number 101 of val.pkl in A, 502 images from number 101 of other.pkl in B.");
  differs([](Report& b) { b.data->indices_sha256 = std::string(64, 'e'); }, "but not the same ones");
  differs([](Report& b) { b.data->preprocessing = "other"; }, "Preprocessings differ: crop224_tf in A, other in B.");
  differs([](Report& b) { b.runs[1].quantization = QuantizationReport{"maxabs", "u8", {"gptq"}, 100, {}, {}}; },
          "int8 maxabs: quantizations differ: none in A, maxabs, gptq; 100 calibration images in B.");
  Report a = test::sample_report(), b = a;
  a.calibration->isa = "avx2", b.calibration->isa = "amx";
  EXPECT_THAT(text(a, b), HasSubstr("Instruction sets of the calibration differ: avx2 in A, amx in B."));
}

TEST_F(Compare, SaysWhoseNumbersMeanLess) {
  Report b = test::sample_report();
  b.interrupted = true;
  b.runs[1].speed->valid = false;
  b.runs[1].speed->reasons = {"too few samples"};
  b.warnings = {"Top-1 is near chance."};
  EXPECT_THAT(
      text(test::sample_report(), b),
      AllOf(HasSubstr("B was interrupted"), HasSubstr("B: the speed of int8 maxabs is INVALID: too few samples."),
            HasSubstr("B: WARNING: Top-1 is near chance."), Not(HasSubstr("A:"))));
}

TEST_F(Compare, FilesThatAreNoResultAreNamedInOneSentence) {
  const std::string good = to_json(test::sample_report());
  std::ofstream(stem_ + "a") << good;
  const auto refused = [&](const std::string& text, const std::string& words) {
    std::ofstream(stem_ + "b") << text;
    try {
      compare_results(stem_ + "a", stem_ + "b");
      ADD_FAILURE() << "accepted: " << words;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), AllOf(HasSubstr(stem_ + "b: "), HasSubstr(words), Not(HasSubstr("json.exception"))));
    }
  };
  const auto changed = [&](const char* pointer, const nlohmann::json& value) {
    nlohmann::json json = nlohmann::json::parse(good);
    json[nlohmann::json::json_pointer(pointer)] = value;
    return json.dump();
  };
  const auto without = [&](const char* parent, const char* key) {
    nlohmann::json json = nlohmann::json::parse(good);
    json[nlohmann::json::json_pointer(parent)].erase(key);
    return json.dump();
  };
  refused("", "expected JSON");
  refused("[]", "expected a JSON object, found a list");
  refused("{}", "not a result of gpu_eval --json, which has the fields 'schema' and 'runs'");
  refused(std::string(100'000, '['), "at most 64 levels");
  refused(changed("/schema", 2), "result of schema 2");
  refused(changed("/schema", "1"), "'schema': expected a whole number");
  refused(changed("/kind", "table"), "is what `gpu_eval table` wrote");
  refused(changed("/runs", nullptr), "which has the fields 'schema' and 'runs'");
  refused(changed("/runs", 3), "'runs': expected a list of objects, found 3");
  refused(changed("/runs/1", 5), "'runs[1]': expected an object, found 5");
  refused(changed("/runs/1/precision", nullptr), "'runs[1].precision': expected a text, found null");
  refused(changed("/runs/1/accuracy/top1", nullptr), "'runs[1].accuracy.top1': expected a finite number, found null");
  refused(changed("/runs/1/accuracy/top1", 1.5), "'runs[1].accuracy.top1': expected a number from 0 to 1, found 1.5");
  refused(changed("/runs/1/accuracy/top1", 0.9), "'runs[1].accuracy.top1': expected 0.56");
  refused(changed("/runs/1/accuracy/images", 1e300), "'runs[1].accuracy.images': expected a whole number");
  refused(changed("/runs/1/accuracy/top1_count", 501),
          "'runs[1].accuracy.top1_count': expected a whole number from 0 to 500");
  refused(changed("/runs/1/accuracy/correct_bits", "00"), "'runs[1].accuracy.correct_bits': expected 500 bits");
  refused(changed("/runs/1/speed/images_per_second", "fast"),
          "'runs[1].speed.images_per_second': expected a finite number");
  refused(changed("/runs/1/speed/latency_ms/p50", nullptr), "'runs[1].speed.latency_ms.p50': expected a finite number");
  refused(changed("/runs/1/speed/batch", -1), "'runs[1].speed.batch': expected a whole number from 1");
  refused(changed("/host", nullptr), "'host': expected an object, found null");
  refused(changed("/data/skipped_images", "x"), "'data.skipped_images': expected a list of objects");
  refused(changed("/interrupted", 0), "'interrupted': expected true or false");
  refused(without("/runs/1/accuracy", "top5"), "'runs[1].accuracy.top5' is missing");
  refused(without("/model", "name"), "'model.name' is missing");
}

TEST_F(Compare, ServerRatesUnderTheSameBound) {
  EXPECT_THAT(text(with_server(15, 80), with_server(15, 60)),
              AllOf(ContainsRegex("server queries/s +80 +60 +0.750x"),
                    HasSubstr("int8 maxabs: server: p99 within 15 ms."), Not(HasSubstr("do not compare"))));
}

TEST_F(Compare, ServerRatesUnderTwoBoundsAreCalledSo) {
  EXPECT_THAT(text(with_server(15, 80), with_server(20, 90)),
              HasSubstr("p99 within 15 ms in A, p99 within 20 ms in B: the rates do not compare"));
}

TEST_F(Compare, TellsWhatDisturbedOneOfThem) {
  Report disturbed = test::sample_report();
  disturbed.conditions = Conditions{.seconds = 3, .cores = 2, .others_cores = 1.25};
  EXPECT_THAT(text(test::sample_report(), disturbed),
              AllOf(HasSubstr("B: other programs kept 1.2 of the 2 cores busy"), Not(HasSubstr("A: other programs"))));
}

}  // namespace
}  // namespace gpueval
