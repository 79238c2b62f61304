#pragma once
// Every kernel is run in every order.

#include <doctest/doctest.h>

#include <string>
#include <utility>

#include "kernels/simt/runtime.h"

namespace xf::test {

/// Calls body() under each schedule of the simulated threads.
template <class Body>
void in_every_order(Body&& body) {
  for (const auto& order : {std::pair("forward", simt::Schedule{simt::Order::forward}),
                            std::pair("reverse", simt::Schedule{simt::Order::reverse}),
                            std::pair("random", simt::Schedule{simt::Order::random, 1}),
                            std::pair("warp by warp", simt::Schedule{simt::Order::warp_by_warp})}) {
    INFO("order " << std::string(order.first));
    simt::set_schedule(order.second);
    body();
  }
}

}  // namespace xf::test
