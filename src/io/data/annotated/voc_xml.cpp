// SPDX-License-Identifier: Apache-2.0
#include "io/data/annotated/voc_xml.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <optional>
#include <pugixml.hpp>

#include "core/input_file.h"
#include "gpueval/error.h"

namespace gpueval::data {
namespace {

constexpr std::uint64_t kMaxXml = 8'000'000;
constexpr std::size_t kMaxObjects = 100'000;

std::string_view text_of(const pugi::xml_node& node) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::string_view text = node.child_value();
  const auto first = text.find_first_not_of(kBlanks);
  return first == std::string_view::npos ? "" : text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::optional<double> number_of(const pugi::xml_node& node) {
  const std::string_view text = text_of(node);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

int extent_of(const pugi::xml_node& node, const std::string& name) {
  if (text_of(node).empty()) return 0;
  const std::optional<double> value = number_of(node);
  if (!value || *value < 0 || *value > 1e9 || *value != std::floor(*value))
    fail("{}: expected <{}> of the picture in whole pixels, found '{}'", name, node.name(), text_of(node));
  return static_cast<int>(*value);
}

Box box_of(const pugi::xml_node& node, const std::string& what) {
  const auto corner = [&](const char* name) {
    const std::optional<double> value = number_of(node.child(name));
    if (!value) fail("{}: expected a number in <bndbox><{}>, found '{}'", what, name, text_of(node.child(name)));
    return *value;
  };
  const double left = corner("xmin"), top = corner("ymin"), right = corner("xmax"), bottom = corner("ymax");
  if (!(right > left && bottom > top))
    fail("{}: expected xmin < xmax and ymin < ymax, found x {} to {}, y {} to {}", what, left, right, top, bottom);
  return {left, top, right - left, bottom - top};
}

bool is_difficult(const pugi::xml_node& object, const std::string& what) {
  const std::string_view text = text_of(object.child("difficult"));
  if (text.empty() || text == "0") return false;
  if (text != "1") fail("{}: expected <difficult> to be 0 or 1, found '{}'", what, text);
  return true;
}

}  // namespace

VocAnnotation parse_voc_annotation(std::string_view xml, const std::string& name) {
  pugi::xml_document document;
  const pugi::xml_parse_result parsed = document.load_buffer(xml.data(), xml.size());
  if (!parsed) fail("{}: expected XML, found at byte {}: {}", name, parsed.offset, parsed.description());
  const pugi::xml_node root = document.child("annotation");
  if (!root) fail("{}: expected an <annotation>, found <{}>", name, document.document_element().name());
  VocAnnotation annotation;
  annotation.size.width = extent_of(root.child("size").child("width"), name);
  annotation.size.height = extent_of(root.child("size").child("height"), name);
  for (const pugi::xml_node& object : root.children("object")) {
    const std::string what = fmt::format("{}: object {}", name, annotation.objects.size() + 1);
    if (annotation.objects.size() == kMaxObjects) fail("{}: expected at most {} objects", name, kMaxObjects);
    VocObject& found = annotation.objects.emplace_back();
    found.name = text_of(object.child("name"));
    if (found.name.empty()) fail("{}: has no <name>", what);
    if (!object.child("bndbox")) fail("{}: has no <bndbox>", what);
    found.box = box_of(object.child("bndbox"), what);
    found.difficult = is_difficult(object, what);
    if (annotation.size.known()) check_box_inside(found.box, annotation.size, what);
  }
  return annotation;
}

VocAnnotation read_voc_annotation(const std::string& path) {
  return parse_voc_annotation(read_file(path, kMaxXml), path);
}

void check_box_inside(const Box& box, const PictureSize& size, const std::string& what) {
  const double right = box.x + box.width, bottom = box.y + box.height;
  if (box.x >= -1 && box.y >= -1 && right <= size.width + 1 && bottom <= size.height + 1) return;
  fail("{}: the box x {} to {}, y {} to {} is not inside of the picture's {} pixels", what, box.x, right, box.y, bottom,
       to_string(size));
}

}  // namespace gpueval::data
