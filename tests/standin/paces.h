#pragma once
// Streams that nobody waits for may run at any time.

#include <doctest/doctest.h>

#include "tests/standin/streams.h"

namespace xf::test {

/// Calls body() at each pace of the streams that are not waited for.
template <class Body>
void at_each_pace(const Body& body) {
  for (const standin::Pace pace : {standin::Pace::early, standin::Pace::late}) {
    INFO("pace " << static_cast<int>(pace));
    standin::set_pace(pace);
    body();
  }
}

}  // namespace xf::test
