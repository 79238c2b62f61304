#include "weights/tables/official.h"

#include <array>

namespace xf::weights {
namespace {

// As keras.applications downloads them; sizes as it prints them. The generation of v0.2 has only the place of
// its release.
#define KERAS_APPLICATIONS "https://storage.googleapis.com/tensorflow/keras-applications/"
#define DEEP_LEARNING_MODELS "https://github.com/fchollet/deep-learning-models/releases/download/"

// keras.applications' word on each: ported from files released under these.
constexpr std::string_view kVgg = "Creative Commons Attribution (VGG, Oxford)";
constexpr std::string_view kResNet = "MIT (Kaiming He)";
constexpr std::string_view kInception = "Apache 2.0";

constexpr std::array<OfficialFile, 10> kFiles{{
    {"vgg16", KerasNames::current, "with top",
     KERAS_APPLICATIONS "vgg16/vgg16_weights_tf_dim_ordering_tf_kernels.h5", 553467096,
     "64373286793e3c8b2b4e3219cbf3544b", Preprocess::caffe, kVgg},
    {"vgg16", KerasNames::current, "without top",
     KERAS_APPLICATIONS "vgg16/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5", 58889256,
     "6d6bbae143d832006294945121d1f1fc", Preprocess::caffe, kVgg},
    {"vgg19", KerasNames::current, "with top",
     KERAS_APPLICATIONS "vgg19/vgg19_weights_tf_dim_ordering_tf_kernels.h5", 574710816,
     "cbe5617147190e668d6c5d5026f83318", Preprocess::caffe, kVgg},
    {"vgg19", KerasNames::current, "without top",
     KERAS_APPLICATIONS "vgg19/vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5", 80134624,
     "253f8cb515780f3b799900260a226db6", Preprocess::caffe, kVgg},
    {"resnet50", KerasNames::v0_2, "with top",
     DEEP_LEARNING_MODELS "v0.2/resnet50_weights_tf_dim_ordering_tf_kernels.h5", 102853048,
     "a7b3fe01876f51b976af0dea6bc144eb", Preprocess::caffe, kResNet},
    {"resnet50", KerasNames::v0_2, "without top",
     DEEP_LEARNING_MODELS "v0.2/resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5", 94653016,
     "a268eb855778b3df3c7506639542a6af", Preprocess::caffe, kResNet},
    {"resnet50", KerasNames::current, "with top",
     KERAS_APPLICATIONS "resnet/resnet50_weights_tf_dim_ordering_tf_kernels.h5", 102967424,
     "2cb95161c43110f7111970584f804107", Preprocess::caffe, kResNet},
    {"resnet50", KerasNames::current, "without top",
     KERAS_APPLICATIONS "resnet/resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5", 94765736,
     "4d473c1dd8becc155b73f8504c6f6626", Preprocess::caffe, kResNet},
    {"inception_v3", KerasNames::current, "with top",
     KERAS_APPLICATIONS "inception_v3/inception_v3_weights_tf_dim_ordering_tf_kernels.h5", 96112376,
     "9a0d58056eeedaa3f26cb7ebd46da564", Preprocess::tf, kInception},
    {"inception_v3", KerasNames::current, "without top",
     KERAS_APPLICATIONS "inception_v3/inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5", 87910968,
     "bcbd6486424b2319ff4ef7d526e38f63", Preprocess::tf, kInception},
}};

}  // namespace

std::string_view OfficialFile::file_name() const { return url.substr(url.rfind('/') + 1); }

std::span<const OfficialFile> official_files() { return kFiles; }

}  // namespace xf::weights
