// SPDX-License-Identifier: Apache-2.0
// Labelled images and their preprocessing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace gpueval {

struct Image {
  int height = 0, width = 0;
  std::vector<std::uint8_t> rgb;  // height x width x 3, R, G, B
};

enum class Normalization {
  kMinusOneToOne,  // x / 127.5 - 1, RGB           ("tf" in keras.applications)
  kCaffeBgr,       // BGR - (103.939, 116.779, 123.68)
};

struct InputSpec {
  int height = 224, width = 224;
  Normalization normalization = Normalization::kMinusOneToOne;
};

// A set of labelled images. decode() is thread-safe and throws Error for a corrupt image (the caller counts and goes
// on).
class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual std::size_t size() const = 0;
  virtual int label(std::size_t index) const = 0;
  virtual Image decode(std::size_t index) const = 0;      // pixels as stored, before preprocessing
  virtual std::string name(std::size_t index) const = 0;  // for messages: file name or "image 17"
  virtual std::string path() const = 0;                   // as given by the user
  virtual std::string kind() const = 0;                   // "pickle", "folder", "demo"
  virtual bool images_are_cropped() const = 0;            // true: already short side 256, centre crop 224 (pickle)
};

// pickle, folder or "demo", told apart by the path. labels: ground-truth list of a flat folder, else empty.
std::unique_ptr<Dataset> open_dataset(const std::string& path, const std::string& labels);
std::unique_ptr<Dataset> open_pickle(const std::string& path);
std::unique_ptr<Dataset> open_folder(const std::string& path, const std::string& labels);
// Images of the embedded toy problem, made on the fly from a seed. split: "train", "calibration" or "test".
std::unique_ptr<Dataset> open_demo(const std::string& split, std::size_t count);

Image decode_jpeg(std::span<const std::uint8_t> bytes,
                  const std::string& name);  // R, G, B; pixels equal cv2.imdecode's
Image read_image(const std::string& path);

enum class Resizing {
  kDefault,   // the dataset's own: pickle: resize 224 -> network (bilinear, cv2.resize's default); folder: short side
              // 256 (299 networks: 342) bicubic, centre crop at the network's size
  kOriginal,  // the research code's: short side 256, 224 crop, then bilinear resize to 227/299
};
Resizing parse_resizing(const std::string& name);  // "default", "original"

// Name of the whole preprocessing, part of every result: "crop224_bilinear227_caffe-bgr".
std::string preprocessing_name(const Dataset& data, const InputSpec& spec, Resizing resizing);
// Resizes, crops and normalises into dst: spec.height x spec.width x 3 float32.
void preprocess(const Image& image, bool already_cropped, const InputSpec& spec, Resizing resizing,
                std::span<float> dst);

// SHA-256 (hex) of the labels of images [first, first + count) as decimal numbers, one a line.
std::string target_sha256(const Dataset& data, std::size_t first, std::size_t count);

// synset_words.txt ("n01440764 tench, Tinca tinca" a line) or one name a line.
std::vector<std::string> read_class_names(const std::string& path);

}  // namespace gpueval
