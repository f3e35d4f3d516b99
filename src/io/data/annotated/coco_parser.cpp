// SPDX-License-Identifier: Apache-2.0
#include "io/data/annotated/coco_parser.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <utility>

#include "gpueval/error.h"

namespace gpueval::data {

std::string CocoParser::where() const {
  if (section_ == Section::kNone) return file_;
  if (depth_ < 2) return fmt::format("{}: {}", file_, list_);
  return fmt::format("{}: {}[{}]", file_, list_, number_in_list_);
}

void CocoParser::refuse(const std::string& expected, const std::string& found) const {
  const std::string field = in_element() || in_box() ? fmt::format(": '{}'", key_) : "";
  fail("{}{}: expected {}, found {}", where(), field, expected, found);
}

bool CocoParser::key(std::string& name) {
  using enum Field;
  if (depth_ == 1) {
    list_ = name;
    section_ = name == "images"        ? Section::kImages
               : name == "annotations" ? Section::kAnnotations
               : name == "categories"  ? Section::kCategories
                                       : Section::kNone;
    if (section_ != Section::kNone && !lists_.insert(name).second) fail("{}: has two lists '{}'", file_, name);
  }
  if (section_ == Section::kNone || depth_ != 3) return true;
  struct Known {
    const char* name;
    Section section;
    Field field;
  };
  static constexpr Known kKnown[] = {
      {"id", Section::kImages, kId},          {"file_name", Section::kImages, kName},
      {"width", Section::kImages, kWidth},    {"height", Section::kImages, kHeight},
      {"id", Section::kCategories, kId},      {"name", Section::kCategories, kName},
      {"id", Section::kAnnotations, kId},     {"image_id", Section::kAnnotations, kImage},
      {"bbox", Section::kAnnotations, kBox},  {"category_id", Section::kAnnotations, kCategory},
      {"area", Section::kAnnotations, kArea}, {"iscrowd", Section::kAnnotations, kCrowd},
  };
  field_ = kNone;
  for (const Known& known : kKnown) {
    if (known.section == section_ && name == known.name) field_ = known.field;
  }
  if (field_ != kNone) key_ = name;
  return true;
}

// An object or a list begins, as a value of where the reading is.
void CocoParser::open(const char* found) {
  const bool object = *found == 'a' && found[1] == 'n';  // "an object"
  if (depth_ == 0 && !object) fail("{}: expected COCO's object of lists, found {}", file_, found);
  if (section_ != Section::kNone && depth_ == 1 && object) refuse("a list", found);
  if (in_list() && !object) refuse("an object", found);
  if (in_box()) refuse("four numbers", found);
  if (in_element() && (object || field_ != Field::kBox)) other(found);
  if (in_list()) {
    element_ = {};
    field_ = Field::kNone;
  }
  if (in_element()) element_.corners = 0;
  ++depth_;
}

bool CocoParser::start_object(std::size_t) {
  open("an object");
  return true;
}

bool CocoParser::start_array(std::size_t) {
  open("a list");
  if (depth_ == 2) number_in_list_ = 0;
  return true;
}

bool CocoParser::end_object() {
  --depth_;
  if (!in_list()) return true;
  add_element();
  ++number_in_list_;
  return true;
}

bool CocoParser::end_array() {
  if (in_box() && element_.corners != 4) refuse("four numbers", fmt::format("{} of them", element_.corners));
  --depth_;
  return true;
}

bool CocoParser::whole(std::int64_t value) {
  if (!in_element()) return number(static_cast<double>(value));
  constexpr std::int64_t kLargest = std::int64_t{1} << 53;  // that every reader of JSON agrees on
  if (value > kLargest || value < -kLargest) return number(static_cast<double>(value));
  switch (field_) {
    case Field::kId:
      element_.id = value;
      return true;
    case Field::kImage:
      element_.image = value;
      return true;
    case Field::kCategory:
      element_.category = value;
      return true;
    case Field::kCrowd:
      if (value != 0 && value != 1) refuse("0 or 1", std::to_string(value));
      element_.crowd = value == 1;
      return true;
    default:
      return number(static_cast<double>(value));
  }
}

bool CocoParser::number_unsigned(std::uint64_t value) {
  if (value <= std::uint64_t{std::numeric_limits<std::int64_t>::max()}) return whole(static_cast<std::int64_t>(value));
  return number(static_cast<double>(value));
}

bool CocoParser::number_float(double value, const std::string&) { return number(value); }

bool CocoParser::number(double value) {
  if (in_box()) {
    if (element_.corners == 4) refuse("four numbers", "more");
    element_.box[static_cast<std::size_t>(element_.corners++)] = value;
    return true;
  }
  if (!in_element()) return other("a number");
  switch (field_) {
    case Field::kWidth:
      element_.width = value;
      return true;
    case Field::kHeight:
      element_.height = value;
      return true;
    case Field::kArea:
      element_.area = value;
      return true;
    default:
      return other(fmt::format("{}", value).c_str());
  }
}

bool CocoParser::boolean(bool value) {
  if (!in_element() || field_ != Field::kCrowd) return other(value ? "true" : "false");
  element_.crowd = value;
  return true;
}

bool CocoParser::string(std::string& value) {
  if (!in_element() || field_ != Field::kName) return other("a text");
  element_.name = value;
  return true;
}

// A value that is nothing but passed over, or no value of its place.
bool CocoParser::other(const char* found) {
  if (depth_ == 0) fail("{}: expected COCO's object of lists, found {}", file_, found);
  if (section_ != Section::kNone && depth_ == 1) refuse("a list", found);
  if (in_list()) refuse("an object", found);
  if (in_box()) refuse("four numbers", found);
  if (!in_element()) return true;
  switch (field_) {
    case Field::kName:
      refuse("a text", found);
    case Field::kWidth:
    case Field::kHeight:
    case Field::kArea:
      refuse("a number", found);
    case Field::kBox:
      refuse("a list of four numbers", found);
    case Field::kCrowd:
      refuse("0 or 1", found);
    default:
      refuse("a whole number", found);
  }
}

bool CocoParser::parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& error) {
  const std::string reason = error.what();  // "[json.exception.parse_error.101] parse error at line 1, ..."
  const auto end = reason.find("] ");
  fail("{}: expected JSON: {}", file_, end == std::string::npos ? reason : reason.substr(end + 2));
}

}  // namespace gpueval::data
