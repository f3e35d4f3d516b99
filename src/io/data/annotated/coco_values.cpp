// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <limits>

#include "gpueval/error.h"
#include "io/data/annotated/coco_parser.h"

namespace gpueval::data {

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

}  // namespace gpueval::data
