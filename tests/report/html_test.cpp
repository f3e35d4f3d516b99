// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

#include "report/base64.h"
#include "report/markup.h"
#include "report/svg_axis.h"
#include "report/text_table.h"
#include "sample_report.h"

namespace gpueval {
namespace {

// Every element is closed by its own end tag; no attribute or text breaks out of it.
void expect_balanced(const std::string& html) {
  std::vector<std::string> open;
  const std::regex tag("<(/?)([a-z0-9]+)((?:\\s+[a-zA-Z-]+=\"[^\"<]*\")*)\\s*(/?)>");
  const std::string body = html.substr(html.find("<html"));
  for (std::sregex_iterator it(body.begin(), body.end(), tag), end; it != end; ++it) {
    const std::string name = (*it)[2];
    if (name == "meta" || name == "br" || (*it)[4].length() > 0) continue;
    if ((*it)[1].length() == 0) {
      open.push_back(name);
    } else {
      ASSERT_FALSE(open.empty()) << "</" << name << ">";
      ASSERT_EQ(open.back(), name) << it->position();
      open.pop_back();
    }
  }
  EXPECT_TRUE(open.empty());
  EXPECT_EQ(std::distance(std::sregex_iterator(body.begin(), body.end(), tag), {}),
            std::count(body.begin(), body.end(), '<'))
      << "a '<' that starts no element";
}

Report report_with_errors() {
  Report report = test::sample_report();
  report.runs[1].layers[0].error = LayerErrorReport{31.25, 0.9996, 0.98, 0.0012};
  report.runs[1].quantization = QuantizationReport{"best", "u8", {"bias-correction", "gptq"}, 100, {}, {}};
  report.runs[1].vs_first->logits = {1000, 10, 5, 500};
  report.layer_error_images = 32;
  report.calibration->trials = {{"best", 75, 25, 24.5, 0.01, 0.96, true}, {"mse", 75, 25, 12.5, 0.1, 0.8, false}};
  return report;
}

TEST(Markup, EscapesWhatHtmlReads) {
  EXPECT_EQ(escaped("<a href=\"x\">'&'</a>"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
  EXPECT_EQ(escaped("caf\xc3\xa9 \xe9 \xf0\x9f\x98\x80 \xe2\x82"), "caf\xc3\xa9 \\xe9 \xf0\x9f\x98\x80 \\xe2\\x82");
  EXPECT_EQ(escaped(std::string_view("a\0b\x1b", 4)), "a\\x00b\\x1b");
  EXPECT_EQ(escaped("\xc2\x9b\xe2\x80\xae\xe0\x80\x80"), "\\u009b\\u202e\\xe0\\x80\\x80");
}

TEST(Markup, EscapesWhatMarkdownReads) {
  EXPECT_EQ(escaped_markdown("a|b_c\n<i>"), "a\\|b\\_c \\<i\\>");
  EXPECT_EQ(escaped_markdown("`*[x](y)\\&lt;~#$"), "\\`\\*\\[x\\](y)\\\\\\&lt;\\~\\#\\$");
  EXPECT_EQ(escaped_markdown("\x1b[2J"), "\\\\x1b\\[2J") << "visible, and then no mark";
  EXPECT_EQ(markdown_code("a b"), "`a b`");
  EXPECT_EQ(markdown_code("a`b"), "`` a`b ``");
  EXPECT_EQ(markdown_code("``\n"), "``` ``\\n ```");
}

// What a terminal would take for a command is as wide as it is shown.
TEST(TextTable, MeasuresWhatItShows) {
  TextTable table;
  table.column("name", TextTable::Align::kLeft);
  table.column("n");
  table.row({"a\x1b", "1"});
  table.row({"b\nc", "2"});
  EXPECT_EQ(table.text(), "name   n\n-----  -\na\\x1b  1\nb\\nc   2\n");
  EXPECT_EQ(shortened_path("abcdefgh\x1b", 9), "...gh\\x1b") << "filtered, then cut";
  EXPECT_EQ(shortened_path("abc\xc3\xa9\xc3\xa9", 6), "...\xc3\xa9") << "never inside a character";
  EXPECT_EQ(wrapped("a\nb", 80, 2), "a\\nb\n");
}

TEST(TextTable, MarkdownAndHtmlLeaveOutEmptyColumns) {
  TextTable table;
  table.column("name", TextTable::Align::kLeft);
  table.column("empty");
  table.column("n");
  table.row({"a|b", "", "<1>"});
  EXPECT_EQ(table.markdown(), "| name | n |\n| --- | ---: |\n| a\\|b | \\<1\\> |\n");
  EXPECT_EQ(table.html(),
            "<div class=\"scroll\"><table>\n<thead><tr><th class=\"l\">name</th><th>n</th></tr>\n</thead>\n"
            "<tbody>\n<tr><td class=\"l\">a|b</td><td>&lt;1&gt;</td></tr>\n</tbody></table></div>\n");
}

TEST(Html, HoldsTheResultAndIsSelfContained) {
  const std::string html = to_html(report_with_errors());
  expect_balanced(html);
  for (const char* text :
       {"56.40%", "int8 maxabs", "20.0 dB", "bias-correction, gptq", "31.2 dB", "0.120%", "Recipes tried",
        "Accuracy against speed", "Latency", "Time layer by layer", "gpu_eval --model mobilenet"}) {
    EXPECT_NE(html.find(text), std::string::npos) << text;
  }
  for (const char* text : {"<script", "http:", "https:", "src=", "@import", "url("}) {
    EXPECT_EQ(html.find(text), std::string::npos) << text;
  }
}

TEST(Html, UserTextCannotBreakOut) {
  const std::string evil = "\"><script>alert('x')</script>\xff&";
  Report report = report_with_errors();
  report.command = report.model.weights = report.data->path = report.calibration->path = report.model.name = evil;
  report.device_description = report.notes.emplace_back(evil);
  report.runs[1].layers[0].info.name = evil;
  report.runs[1].scheme = report.calibration->trials[0].name = evil;
  report.runs[1].speed->warnings = report.runs[1].speed->reasons = {evil};
  const std::string html = to_html(report);
  expect_balanced(html);
  EXPECT_EQ(html.find("<script"), std::string::npos);
  EXPECT_EQ(html.find('\xff'), std::string::npos);
}

TEST(Html, RooflineAndRemarks) {
  Report report = report_with_errors();
  EXPECT_EQ(to_html(report).find("Roofline"), std::string::npos);
  report.roofs = DeviceRoofs{"cpu", "avx2, 2 threads", 500, 100, 10};
  report.runs[1].layers[0].profile = LayerProfile{
      .gops = 40, .gbs = 0.8, .intensity = 488, .compute_percent = 8, .memory_percent = 8, .remark = "tail: a<b"};
  const std::string html = to_html(report);
  expect_balanced(html);
  EXPECT_NE(html.find("<h2>Roofline</h2>"), std::string::npos);
  EXPECT_NE(html.find("tail: a&lt;b"), std::string::npos);
  EXPECT_NE(html.find("int8 500"), std::string::npos);
}

TEST(Html, ServerTrials) {
  Report report = report_with_errors();
  ServerResult& server = report.runs[1].server.emplace();
  server = {.latency_bound_ms = 15, .queries_per_second = 80, .capacity = 100, .valid = true};
  server.trials = {{.rate = 90, .queries = 100}, {.rate = 80, .queries = 2400, .complete = true, .met = true}};
  const std::string html = to_html(report);
  expect_balanced(html);
  EXPECT_NE(html.find("int8 maxabs: 80.00 queries/s within 15 ms (p99)"), std::string::npos);
  EXPECT_NE(html.find("missed, ended early"), std::string::npos);
}

TEST(Html, WithoutAccuracyOrSpeed) {
  Report report = test::sample_report();
  for (RunReport& run : report.runs) {
    run.speed.reset();
    run.layers[0].ms.reset();
  }
  const std::string accuracy = to_html(report);
  expect_balanced(accuracy);
  EXPECT_EQ(accuracy.find("Accuracy against speed"), std::string::npos);
  EXPECT_EQ(accuracy.find("Time layer by layer"), std::string::npos);
  report = test::sample_report();
  report.data.reset();
  for (RunReport& run : report.runs) {
    run.accuracy.reset();
    run.vs_first.reset();
  }
  const std::string speed = to_html(report);
  expect_balanced(speed);
  EXPECT_NE(speed.find("Latency"), std::string::npos);
}

TableReport sample_table() {
  TableReport table;
  table.tool = {"0.1.0", "0123456789ab"};
  table.host = {"Some CPU", 2, 2, "Linux", "gcc"};
  table.command = "gpu_eval table";
  table.networks.push_back({"vgg16", {"vgg16.h5"}, "vgg16.h5 is not at hand.", std::nullopt});
  table.networks.push_back({"mobilenet 0.25", {"m.h5"}, "", report_with_errors()});
  return table;
}

TEST(NetworksTable, ThreeForms) {
  const TableReport table = sample_table();
  const std::string text = to_text(table), markdown = to_markdown(table), html = to_html(table);
  expect_balanced(html);
  for (const std::string& form : {text, markdown, html}) {
    for (const char* part : {"vgg16.h5 is not at hand", "56.40%", "-0.40", "20.0", "95.0%", "3100"}) {
      EXPECT_NE(form.find(part), std::string::npos) << part << "\n" << form;
    }
  }
  EXPECT_NE(markdown.find("| vgg16 | not measured |"), std::string::npos) << markdown;
  std::size_t longest = 0;
  for (std::size_t start = 0, end; (end = text.find('\n', start)) != std::string::npos; start = end + 1)
    longest = std::max(longest, end - start);
  EXPECT_LE(longest, 110u) << text;
}

TEST(NetworksTable, PublishedFiguresStandBesideOurs) {
  TableReport table = sample_table();
  for (RunReport& run : table.networks[1].report->runs) {
    if (run.precision == "int8") run.scheme = "reference", run.depthwise = "int8";
  }
  const std::string text = to_text(table), markdown = to_markdown(table), html = to_html(table);
  for (const std::string& form : {text, markdown, html}) {
    // VGG16 was not measured, MobileNet 0.25 was: float32 and the reference scheme, not the one with float depthwise.
    for (const char* part : {"70.79%", "70.66%", "-0.13", "51.34%", "34.85%", "-16.49", "46.51%",
                             "Tensorflow-quantization-test README", "only differences can be compared"}) {
      EXPECT_NE(form.find(part), std::string::npos) << part << "\n" << form;
    }
  }
  const std::size_t start = markdown.find("### The original research");
  EXPECT_NE(markdown.find("| int8 reference | 34.85% | 58.96% | -16.49 | -16.59 | 56.00% |", start), std::string::npos)
      << markdown;
  expect_balanced(html);
  for (std::size_t at = 0, end; (end = text.find('\n', at)) != std::string::npos; at = end + 1)
    EXPECT_LE(end - at, 110u) << text.substr(at, end - at);
  // All images of the research: no warning. Nothing published: no section.
  table.networks[1].report->data->count = 50000;
  EXPECT_EQ(to_text(table).find("only differences"), std::string::npos);
  table.networks = {table.networks[1]};
  table.networks[0].name = "demo";
  EXPECT_EQ(to_text(table).find("original research"), std::string::npos);
}

TEST(Base64, IsThatOfRfc4648) {
  const auto of = [](std::string_view text) {
    return base64({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  };
  EXPECT_EQ(of(""), "");
  EXPECT_EQ(of("f"), "Zg==");
  EXPECT_EQ(of("fo"), "Zm8=");
  EXPECT_EQ(of("foo"), "Zm9v");
  EXPECT_EQ(of("\xff\xfe\xfd\xfc"), "//79/A==");
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++count;
  return count;
}

TEST(Gallery, BoxesStayInsideTheirPicture) {
  Report report = test::sample_report();
  report.task = "detection";
  for (RunReport& run : report.runs) run.accuracy.reset();
  report.data->class_names = {"<cat>"};
  GalleryPicture picture{"a\"b.jpg", "2 boxes differ", 100, 200, {1, 2, 3}, {}};
  picture.answers = {{"float32", {{0, 0.5, {-50, 10, 1000, 20}}}}, {"int8", {}}, {"truth", {{7, {}, {0, 0, 20, 20}}}}};
  report.gallery = {picture};
  const std::string html = to_html(report);
  expect_balanced(html);
  EXPECT_EQ(count_of(html, "<use "), 3u) << "the picture is there once";
  EXPECT_NE(html.find("x=\"0.0\" y=\"32.5\" width=\"290.0\" height=\"29.0\""), std::string::npos) << html;
  EXPECT_NE(html.find("&lt;cat&gt; 0.50"), std::string::npos);
  EXPECT_NE(html.find(">class 7<"), std::string::npos);
}

TEST(Gallery, LabelMapsLieOverTheirPicture) {
  Report report = test::sample_report();
  report.task = "segmentation";
  for (RunReport& run : report.runs) run.accuracy.reset();
  report.data->class_names = {"background", "cat", "dog"};
  GalleryPicture picture{"a.jpg", "1% differ", 2, 1, {1, 2, 3}, {}};
  for (const char* label : {"float32", "int8", "truth"})
    picture.answers.push_back({label, {}, {2, 1, {0, static_cast<std::uint8_t>(label[0] == 't' ? 255 : 2)}}});
  report.gallery = {picture};
  const std::string html = to_html(report);
  expect_balanced(html);
  EXPECT_EQ(count_of(html, "data:image/png;base64,"), 3u);
  EXPECT_EQ(count_of(html, "</svg>dog<"), 1u) << "the legend has what occurs, without the background";
  EXPECT_EQ(html.find("</svg>cat<"), std::string::npos);
}

TEST(ChartAxis, TicksAreRoundAndInside) {
  const Scale linear = Scale::linear(92.3, 97.7, 0, 100);
  EXPECT_EQ(linear.ticks(), (std::vector<double>{92, 93, 94, 95, 96, 97, 98}));
  EXPECT_DOUBLE_EQ(linear.pixel(92), 0);
  EXPECT_DOUBLE_EQ(linear.pixel(98), 100);
  const Scale one = Scale::linear(5, 5, 0, 100);
  EXPECT_GT(one.pixel(5), 0);
  EXPECT_LT(one.pixel(5), 100);
  const Scale logarithmic = Scale::logarithmic(10, 1000, 0, 100);
  EXPECT_EQ(logarithmic.ticks(), (std::vector<double>{10, 20, 50, 100, 200, 500, 1000}));
  EXPECT_NEAR(logarithmic.pixel(100), 50, 1e-9);
}

}  // namespace
}  // namespace gpueval
