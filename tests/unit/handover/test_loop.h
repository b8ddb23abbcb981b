// SPDX-License-Identifier: MIT
#pragma once

#include "handover/base/event_loop.h"
#include "support/pipe.h"

#include <gtest/gtest.h>

#include <chrono>

namespace handover::test {

/// An event loop for a test: a run that does not stop by itself fails.
class TestLoop : public EventLoop {
  public:
    void run_to_the_end() {
        Timer deadline(*this, [this] {
            ADD_FAILURE() << "what should stop the loop did not happen";
            stop();
        });
        deadline.start_once(test::timeout);
        run();
    }

    /// Looks every millisecond.
    template <class Condition>
    void run_until(Condition condition) {
        Timer look(*this, [&] {
            if (condition()) stop();
        });
        look.start_every(std::chrono::milliseconds(1));
        run_to_the_end();
    }
};

}  // namespace handover::test
