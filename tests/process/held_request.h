// SPDX-License-Identifier: MIT
#pragma once

#include "handover/endpoint.h"
#include "support/processes.h"
#include "support/raw_client.h"

#include <gtest/gtest.h>

#include <string>

namespace handover::test {

/// A request that is in flight for sure, and until the test sends its body.
class HeldRequest {
  public:
    explicit HeldRequest(const Endpoint& server, const std::string& headers = "")
        : client_(server, timeout) {
        client_.send("POST /hello HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\n" + headers +
                     "Expect: 100-continue\r\n\r\n");
        EXPECT_EQ(client_.receive().status, 100);
    }
    /// The body, and what else there is to send.
    void release(const std::string& more = "") { client_.send("body" + more); }

    RawClient& client() { return client_; }
    /// Sends the body and returns what comes.
    RawResponse finish() {
        release();
        return client_.receive();
    }

  private:
    RawClient client_;
};

}  // namespace handover::test
