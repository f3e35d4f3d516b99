// SPDX-License-Identifier: Apache-2.0
#include "report/gallery_section.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <set>

#include "io/data/encode_picture.h"
#include "report/base64.h"
#include "report/class_table.h"
#include "report/html_page.h"
#include "report/markup.h"

namespace gpueval {
namespace {

constexpr double kPanel = 290, kGap = 12, kTitle = 18;  // kPanel: most of a picture's sides
constexpr std::size_t kMostNamed = 24;                  // classes of the legend
constexpr std::uint8_t kOpacity = 150;

// Hues a golden section apart: neighbours differ, and so do any few.
TranslucentColor class_color(int category) {
  const double turn = 2 * std::numbers::pi * std::fmod(0.02 + category * (std::numbers::phi - 1), 1.0);
  const auto part = [&](double shift) {
    return static_cast<std::uint8_t>(std::lround(128 + 100 * std::cos(turn - shift * 2 * std::numbers::pi / 3)));
  };
  return {part(0), part(1), part(2), kOpacity};
}

std::string hex_color(int category) {
  const TranslucentColor color = class_color(category);
  return fmt::format("#{:02x}{:02x}{:02x}", color[0], color[1], color[2]);
}

// Class 0, where it is what is left.
bool is_background(const Report& report, int category) {
  if (category != 0) return false;
  const bool named = report.data && !report.data->class_names.empty();
  return !named || report.data->class_names.front().find("background") != std::string::npos;
}

std::string overlay(const Report& report, const LabelMap& map) {
  std::array<TranslucentColor, 256> colors{};
  for (int i = 0; i < LabelMap::kVoid; ++i) {
    if (!is_background(report, i)) colors[static_cast<std::size_t>(i)] = class_color(i);
  }
  colors[LabelMap::kVoid] = {255, 255, 255, kOpacity};
  return base64(encode_overlay(map, colors));
}

struct Panel {
  double x = 0, width = 0, height = 0;  // of its picture
  double scale_x = 1, scale_y = 1;      // from pixels of the picture as it was
};

std::string tag_of(const Report& report, const GalleryPicture::Box& box) {
  const std::string name = class_name(report, box.category);
  return box.score ? fmt::format("{} {:.2f}", name, *box.score) : name;
}

// The part of a box inside the picture.
std::string box_mark(const Report& report, const GalleryPicture::Box& box, const Panel& panel) {
  const auto x = [&](double v) { return panel.x + std::clamp(v * panel.scale_x, 0.0, panel.width); };
  const auto y = [&](double v) { return kTitle + std::clamp(v * panel.scale_y, 0.0, panel.height); };
  const double left = x(box.place.x), right = x(box.place.x + box.place.width);
  const double top = y(box.place.y), bottom = y(box.place.y + box.place.height);
  const std::string color = hex_color(box.category), tag = escaped(tag_of(report, box));
  return fmt::format(
      "<g><title>{4}</title><rect class=\"box\" x=\"{0:.1f}\" y=\"{1:.1f}\" width=\"{2:.1f}\" height=\"{3:.1f}\" "
      "fill=\"none\" stroke=\"{5}\"/><text class=\"tag\" x=\"{6:.1f}\" y=\"{7:.1f}\" "
      "style=\"fill:{5};paint-order:stroke;stroke:#fff;"
      "stroke-width:3px\">{4}</text></g>\n",
      left, top, right - left, bottom - top, tag, color, left + 2, std::max(top - 3, kTitle + 10));
}

std::string panel_marks(const Report& report, const GalleryPicture::Answer& answer, const Panel& panel,
                        const std::string& id) {
  std::string svg =
      fmt::format("<text x=\"{:.1f}\" y=\"12\" class=\"title\">{}</text>\n", panel.x, escaped(answer.label));
  svg += fmt::format("<use href=\"#{}\" x=\"{:.1f}\" y=\"{}\"/>\n", id, panel.x, kTitle);
  if (!answer.map.classes.empty()) {
    svg += fmt::format(
        "<image class=\"overlay\" x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" height=\"{:.1f}\" "
        "preserveAspectRatio=\"none\" href=\"data:image/png;base64,{}\"/>\n",
        panel.x, kTitle, panel.width, panel.height, overlay(report, answer.map));
  }
  for (const GalleryPicture::Box& box : answer.boxes) svg += box_mark(report, box, panel);
  return svg;
}

std::string picture_figure(const Report& report, const GalleryPicture& picture, std::size_t number) {
  const double factor = kPanel / std::max(picture.height, picture.width);
  const double width = factor * picture.width, height = factor * picture.height;
  const std::string id = fmt::format("picture{}", number);
  std::string svg = fmt::format(
      "<svg viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\">\n<defs><image id=\"{}\" width=\"{:.1f}\" height=\"{:.1f}\" "
      "preserveAspectRatio=\"none\" href=\"data:image/jpeg;base64,{}\"/></defs>\n",
      3 * kPanel + 2 * kGap, height + kTitle, id, width, height, base64(picture.jpeg));
  double x = 0;
  for (const GalleryPicture::Answer& answer : picture.answers) {
    svg += panel_marks(report, answer, {x, width, height, factor, factor}, id);
    x += kPanel + kGap;
  }
  return fmt::format("<figure class=\"picture\"><figcaption>{}: {}</figcaption>\n{}</svg></figure>\n",
                     escaped(picture.name), escaped(picture.difference), svg);
}

std::string color_legend(const Report& report) {
  std::set<int> seen;
  for (const GalleryPicture& picture : report.gallery) {
    for (const GalleryPicture::Answer& answer : picture.answers) {
      for (const std::uint8_t value : answer.map.classes) {
        if (value != LabelMap::kVoid && !is_background(report, value)) seen.insert(value);
      }
    }
  }
  if (seen.empty()) return "";  // boxes have their names beside them
  std::string html = "<p class=\"legend\">";
  for (const int category : seen) {
    if (seen.size() > kMostNamed && category > *std::next(seen.begin(), kMostNamed - 1)) break;
    html += fmt::format(
        "<span><svg width=\"16\" height=\"16\" viewBox=\"0 0 16 16\"><rect width=\"16\" height=\"16\" fill=\"{}\"/>"
        "</svg>{}</span> ",
        hex_color(category), escaped(class_name(report, category)));
  }
  return html + "</p>\n";
}

}  // namespace

std::string gallery_section(const Report& report) {
  if (report.gallery.empty()) return "";
  const bool boxes = report.gallery.front().answers.front().map.classes.empty();
  std::string html = html_paragraph(boxes ? "Those that differ most first; boxes with scores of .3 or more."
                                          : "Those that differ most first; white: void.",
                                    "note");
  html += color_legend(report);
  for (std::size_t i = 0; i < report.gallery.size(); ++i) html += picture_figure(report, report.gallery[i], i);
  return html_section(fmt::format("Pictures that {} and {} answer most differently",
                                  report.gallery.front().answers[0].label, report.gallery.front().answers[1].label),
                      html);
}

}  // namespace gpueval
