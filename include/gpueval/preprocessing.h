// SPDX-License-Identifier: Apache-2.0
// From a decoded picture to a network's input: fitted to its size, resized, normalised. docs/preprocessing.md has the
// formulas and the defaults of each network and each kind of data.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "gpueval/image.h"

namespace gpueval {

// What becomes of a byte x (0 to 255) of a picture: float32 arithmetic, in the order of the formula. A value: it is
// compared, and to_string() gives what parse_normalization() reads.
class Normalization {
 public:
  enum Kind {
    kNone,     // x, RGB
    kTf,       // x / 127.5 - 1, RGB
    kCaffe,    // BGR - (103.939, 116.779, 123.68)
    kTorch,    // (x / 255 - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225), RGB
    kUnit,     // x / 255, RGB
    kMeanStd,  // (x - mean) / deviation, RGB; made by mean_std() alone
  };
  using Channels = std::array<float, 3>;  // R, G, B

  Normalization(Kind kind = kTf) : kind_(kind) {}  // a name is a value
  // Both in units of x. Usage error for a number that is not finite, a deviation below 1 (those of x / 255, times 255,
  // are what is meant) and results beyond float32.
  static Normalization mean_std(const Channels& mean, const Channels& deviation);
  static Normalization mean_std(float mean, float deviation);  // the same for every channel
  // The same of each colour, but B comes first: mean and deviation stay R, G, B. Usage error for kCaffe, which is BGR.
  Normalization in_bgr() const;

  Kind kind() const { return kind_; }
  const Channels& mean() const { return mean_; }
  const Channels& deviation() const { return deviation_; }
  bool same() const { return same_; }  // one mean and one deviation were given
  bool bgr() const { return bgr_ || kind_ == kCaffe; }
  // Of R, G and B each, so that a network of one channel cannot take it.
  bool by_color() const { return bgr() || kind_ == kTorch || (kind_ == kMeanStd && !same_); }
  bool operator==(const Normalization&) const = default;

 private:
  Kind kind_;
  Channels mean_{}, deviation_{1, 1, 1};
  bool same_ = false;
  bool bgr_ = false;
};

// "none", "tf", "caffe", "torch", "unit", "mean=M,M,M:std=S,S,S" (R, G, B, in units of 0 to 255) or "mean=M:std=S"; but
// for "caffe" also with ":bgr" behind it.
Normalization parse_normalization(const std::string& text);  // usage error that says what is accepted, as all of these
std::string to_string(const Normalization& normalization);
// "R, G, B as x / 127.5 - 1"; of one channel "grey as ...", of others than 1 and 3 "as they are"
std::string formula(const Normalization& normalization, int channels = 3);

// How a picture comes to the input's height and width.
enum class Fit {
  kCrop,       // scaled until it covers the input and a margin (short side 256 for 224 to 227, 342 for 299, 8/7 of the
               // input's for others), then cut out of its centre
  kSquash,     // both sides scaled, each by its own factor
  kPad,        // scaled until it lies within the input; the rest, on the right and at the bottom, is 128
  kPadCentre,  // the same in the middle; an odd pixel more on the right and at the bottom
};
Fit parse_fit(const std::string& text);  // "crop", "squash", "pad", "pad-centre"
std::string to_string(Fit fit);

enum class Resize {
  kBilinear,  // OpenCV's INTER_LINEAR: two source pixels an axis, however much smaller the result
  kBicubic,   // OpenCV's INTER_CUBIC (a = -0.75), four an axis
  kNearest,   // the source pixel in which the result's centre lies, as PIL and Keras's load_img have it
};
Resize parse_resize(const std::string& text);  // "bilinear", "bicubic", "nearest"
std::string to_string(Resize resize);

struct InputSize {
  int height = 0, width = 0;
  bool operator==(const InputSize&) const = default;
};
inline constexpr int kMaxInputSide = 4096;
InputSize parse_input_size(const std::string& text);  // "HxW", "S" for SxS; both 1 to kMaxInputSide
std::string to_string(const InputSize& size);         // "224", "224x320"

// What a network takes: pictures of R, G, B, grey ones (1 channel), or arrays of any number of channels.
struct InputSpec {
  int height = 224, width = 224;
  Normalization normalization;
  int channels = 3;

  std::size_t elements() const {
    return static_cast<std::size_t>(height) * static_cast<std::size_t>(width) * static_cast<std::size_t>(channels);
  }
  bool operator==(const InputSpec&) const = default;
};

// The float32 value of each byte of a resized image, by channel of the network's input: what devices apply, too.
struct PixelTable {
  bool bgr = false;  // the input's channels are B, G, R
  std::array<std::array<float, 256>, 3> values{};
  bool operator==(const PixelTable&) const = default;
};
PixelTable pixel_table(const Normalization& normalization);

// Where an input's pixels come from. Positions are continuous: pixel i covers [i, i + 1), its centre is i + 0.5.
struct Geometry {
  double offset_y = 0, offset_x = 0;  // of the input's upper left corner, in the picture; negative behind padding
  double scale_y = 1, scale_x = 1;    // pixels of the picture for one of the input
  // The part of the input that shows the picture: all but the padding.
  int top = 0, left = 0, height = 0, width = 0;

  double picture_y(double y) const { return offset_y + scale_y * y; }
  double picture_x(double x) const { return offset_x + scale_x * x; }
  double input_y(double y) const { return (y - offset_y) / scale_y; }
  double input_x(double x) const { return (x - offset_x) / scale_x; }
};

struct Preprocessing {
  InputSpec input;
  Fit fit = Fit::kSquash;
  Resize resize = Resize::kBilinear;
  int first_crop = 0;     // > 0: before all that, cropped (kCrop, bicubic) to so many pixels square
  bool as_it_is = false;  // elements of an array, which are neither fitted nor resized: apply() is not for them
  bool operator==(const Preprocessing&) const = default;

  // Of a picture of that size. Error for one without pixels.
  Geometry geometry(int picture_height, int picture_width) const;
  // dst: input.elements() float32, of 3 channels or of 1: what is resized is then made grey, (19595 R + 38470 G + 7471
  // B
  // + 32768) / 65536, as PIL and Keras's color_mode="grayscale" do. Thread-safe, and uses one thread. Beside dst it
  // needs memory for the picture at the scale of the input: at most 32 times its area, of longer pictures only the
  // middle is looked at.
  Geometry apply(const Image& image, std::span<float> dst) const;
  // Of an array of bytes: each value by the pixel table, in place.
  void normalize_array(std::span<float> array) const;
  // Nothing but a bilinear resize stands between a picture of three channels and the pixel table: what devices do, too.
  bool only_resizes() const {
    return fit == Fit::kSquash && resize == Resize::kBilinear && first_crop == 0 && input.channels == 3 && !as_it_is;
  }
};

class Dataset;

// What was asked for; what was not is the network's (normalization) or the data's (fit, resize).
struct PreprocessingChoice {
  std::optional<Normalization> normalization;
  std::optional<Fit> fit;
  std::optional<Resize> resize;
  bool original = false;  // the research code's: whole pictures are cropped to 224, then squashed (bilinear)
};
// By default images that are stored cropped are squashed, whole pictures are cropped (bicubic; all else is bilinear).
// Usage error for `original` beside fit or resize, which it sets, for pictures where the network takes neither 3
// channels nor 1, and for a normalization by colour where it takes 1.
Preprocessing make_preprocessing(const InputSpec& input, bool stored_cropped, const PreprocessingChoice& choice = {});
// Arrays stay as they are, but for a normalization that is chosen, of bytes of 1 or 3 channels; Error for a shape that
// is not the network's input.
Preprocessing make_preprocessing(const InputSpec& input, const Dataset& data, const PreprocessingChoice& choice = {});

// Name of the whole preprocessing, part of every result: "crop224_bilinear227_caffe-bgr". Two that give other pixels
// for the same data have other names.
std::string preprocessing_name(const Dataset& data, const Preprocessing& preprocessing);

}  // namespace gpueval
