#include "engine/graph/graph.h"

#include <doctest/doctest.h>

#include "engine/core/error.h"

namespace xf {

TEST_CASE("glob_match: * is any run, ? any one character") {
  CHECK(glob_match("", ""));
  CHECK(glob_match("*", ""));
  CHECK(glob_match("layer1.*", "layer1.0.conv1.weight"));
  CHECK(glob_match("*.bn?.weight", "layer1.0.bn2.weight"));
  CHECK(glob_match("*a*b*", "xxaxxbxx"));
  CHECK(glob_match("a*ab", "aaab"));  // the star gives back what it took
  CHECK_FALSE(glob_match("", "a"));
  CHECK_FALSE(glob_match("?", ""));
  CHECK_FALSE(glob_match("layer1.*", "layer10.0.weight"));
  CHECK_FALSE(glob_match("*.bn?.weight", "layer1.0.bn.weight"));
  CHECK_FALSE(glob_match("a*b", "abc"));
}

TEST_CASE("graph: sources by kind, in order, and by name") {
  Graph g;
  const Value x = g.input("x", {{2, 4, 4, 3}, DType::u8});
  const Value b = g.param("b", vector_shape(3), {}), a = g.param("a", vector_shape(3), {});
  const Value s = g.state("s", vector_shape(3), {InitKind::constant, 1, 1, 1});
  CHECK(g.sources(Source::param) == std::vector<Value>{b, a});
  CHECK(g.sources(Source::state) == std::vector<Value>{s});
  CHECK(g.source("x") == x);
  CHECK_FALSE(g.source("y"));
  CHECK(g.step() == g.step());
  CHECK_THROWS_AS(g.param("a", vector_shape(9), {}), InternalError);
}

TEST_CASE("graph: named values; an unknown name lists those there are") {
  Graph g;
  const Value x = g.input("x", {{1, 2, 2, 3}, DType::f32});
  const Value y = g.add(Act{}, {x});
  g.set_name("features", y);
  g.set_name("mixed10", x);
  CHECK(g.named("features") == y);
  try {
    (void)g.named("mixed11");
    FAIL("no error");
  } catch (const UsageError& e) {
    CHECK(std::string(e.what()).find("mixed11") != std::string::npos);
    CHECK(e.remedy().find("features, mixed10") != std::string::npos);
  }
}

TEST_CASE("graph: operations are recorded in the scope; updates keep their order") {
  Graph g;
  const Value x = g.input("x", {{1, 2, 2, 3}, DType::f32});
  g.set_scope("layer1.0");
  const Value y = g.add(Act{}, {x});
  CHECK(g.node(y).name == "layer1.0");
  CHECK(g.node(y).as<Act>() != nullptr);
  CHECK(op_name(g.node(y).op) == "act");
  CHECK(op_name(g.node(x).op) == "source");
  const Value s = g.state("s", vector_shape(3), {}), t = g.state("t", vector_shape(3), {});
  g.update(t, s);
  g.update(s, t);
  REQUIRE(g.updates().size() == 2);
  CHECK(g.updates()[0].state == t);
  CHECK(g.updates()[1].value == t);
}

TEST_CASE("graph: an operand of another graph is refused") {
  Graph g, other;
  const Value x = other.input("x", {{1, 1, 1, 1}, DType::f32});
  CHECK_THROWS_AS(g.add(Act{}, {x}), InternalError);
}

}  // namespace xf
