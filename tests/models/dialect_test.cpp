#include "models/dialect.h"

#include <doctest/doctest.h>

#include "engine/core/error.h"

TEST_CASE("a dialect survives its JSON") {
  xf::Dialect trunk = xf::keras_dialect("vgg16");
  trunk.head = xf::Head::pool;
  for (const xf::Dialect& d : {xf::keras_dialect("inception_v3"), xf::torchvision_dialect("inception_v3"),
                               xf::keras_dialect("resnet50"), xf::torchvision_dialect("resnet18"),
                               xf::keras_dialect("merged_view"), xf::caffe_dialect("inception_v2"), trunk}) {
    CHECK(xf::parse_dialect(xf::to_json(d), "f.h5") == d);
    xf::Dialect silent = d;
    silent.preprocess.reset();
    CHECK(xf::parse_dialect(xf::to_json(silent), "f.h5") == silent);
  }
}

TEST_CASE("the published differences between dialects") {
  const xf::Dialect k = xf::keras_dialect("resnet50"), t = xf::torchvision_dialect("resnet50");
  CHECK(k.stride == xf::StridePlacement::first_1x1);
  CHECK(t.stride == xf::StridePlacement::middle_3x3);
  CHECK(k.conv_bias == xf::ConvBias::present);
  CHECK(t.conv_bias == xf::ConvBias::absent);
  CHECK(k.bn_eps == 1.001e-5F);
  CHECK(xf::keras_dialect("inception_v3").bn_gamma == xf::BnGamma::absent);
  CHECK(xf::torchvision_dialect("inception_v3").average_pool == xf::CountPadding::yes);
  CHECK(xf::caffe_dialect("inception_v2").pool_rounding == xf::PoolRounding::ceil);
  CHECK_THROWS_AS(xf::keras_dialect("resnet18"), xf::UsageError);
  CHECK_THROWS_AS(xf::keras_dialect("vgg16_bn"), xf::UsageError);
  CHECK_THROWS_AS(xf::caffe_dialect("vgg16"), xf::UsageError);
  CHECK_THROWS_AS(xf::torchvision_dialect("lenet"), xf::UsageError);
  CHECK(xf::parse_family("caffe") == xf::Family::caffe);
  CHECK_THROWS_AS(xf::parse_family("mxnet"), xf::UsageError);
}

TEST_CASE("the dialects of earlier files: square images of three channels") {
  const xf::Dialect d = xf::parse_dialect(
      R"({"family":"keras","bn_eps":0.001,"bn_gamma":"absent","average_pool":"excludes_padding",)"
      R"("pool_rounding":"floor","stride":"middle_3x3","conv_bias":"absent","preprocess":"tf",)"
      R"("resize":"tf_bilinear","input_size":299})",
      "f.h5");
  CHECK(d == xf::keras_dialect("inception_v3"));
}

TEST_CASE("the variants of a network have names of their own") {
  CHECK(xf::full_name("resnet50", xf::keras_dialect("resnet50")) == "resnet50 v1");
  CHECK(xf::full_name("resnet50", xf::torchvision_dialect("resnet50")) == "resnet50 v1.5");
  CHECK(xf::full_name("resnet18", xf::torchvision_dialect("resnet18")) == "resnet18");
  xf::Dialect trunk = xf::keras_dialect("vgg16");
  trunk.head = xf::Head::pool;
  CHECK(xf::full_name("vgg16", trunk) == "vgg16 with pool head");
  CHECK(xf::describe("merged_view", xf::keras_dialect("merged_view")) ==
        "merged_view by keras: BN eps 1e-05, conv bias, preprocess unit, resize pil_bilinear, input "
        "280x340x1");
}

TEST_CASE("a dialect that makes no sense names the file and the field") {
  CHECK_THROWS_WITH_AS(xf::parse_dialect("{", "f.h5"), doctest::Contains("f.h5"), xf::DataError);
  std::string json = xf::to_json(xf::keras_dialect("inception_v3"));
  json.replace(json.find("floor"), 5, "round");
  CHECK_THROWS_WITH_AS(xf::parse_dialect(json, "f.h5"), doctest::Contains("\"pool_rounding\""),
                       xf::DataError);
  const std::string good = xf::to_json(xf::keras_dialect("merged_view"));
  for (const char* height : {"0", "-280", "99999", "280.5", "4294967576", "\"280\""}) {
    json = good;
    json.replace(json.find(":280") + 1, 3, height);
    CHECK_THROWS_WITH_AS(xf::parse_dialect(json, "f.h5"), doctest::Contains("\"height\""), xf::DataError);
  }
}
