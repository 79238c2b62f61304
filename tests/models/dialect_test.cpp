#include "models/dialect.h"

#include <doctest/doctest.h>

#include "engine/core/error.h"

TEST_CASE("a dialect survives its JSON") {
  for (const xf::Dialect& d : {xf::keras_dialect("inception_v3"), xf::torchvision_dialect("inception_v3"),
                               xf::keras_dialect("resnet50"), xf::torchvision_dialect("resnet18")}) {
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
  CHECK_THROWS_AS(xf::keras_dialect("resnet18"), xf::UsageError);
  CHECK_THROWS_AS(xf::torchvision_dialect("lenet"), xf::UsageError);
  CHECK(xf::parse_family("caffe") == xf::Family::caffe);
  CHECK_THROWS_AS(xf::parse_family("mxnet"), xf::UsageError);
}

TEST_CASE("a dialect that makes no sense names the file and the field") {
  CHECK_THROWS_WITH_AS(xf::parse_dialect("{", "f.h5"), doctest::Contains("f.h5"), xf::DataError);
  std::string json = xf::to_json(xf::keras_dialect("inception_v3"));
  json.replace(json.find("floor"), 5, "round");
  CHECK_THROWS_WITH_AS(xf::parse_dialect(json, "f.h5"), doctest::Contains("\"pool_rounding\""),
                       xf::DataError);
}
