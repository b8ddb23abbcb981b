// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace handover::test {

/// What the counting clients ask for.
struct RequestOptions {
    std::string method = "GET";
    std::string path = "/hello";
    std::string body = {};
};

/// The whole request as it goes over the wire. Without `keep_alive` it says Connection: close.
[[nodiscard]] inline std::string request_text(const RequestOptions& options, bool keep_alive) {
    std::string text = options.method + " " + options.path + " HTTP/1.1\r\nHost: localhost\r\n";
    if (!keep_alive) text += "Connection: close\r\n";
    if (!options.body.empty() || options.method == "POST")
        text +=
            "Content-Type: text/plain\r\nContent-Length: " + std::to_string(options.body.size()) +
            "\r\n";
    return text + "\r\n" + options.body;
}

}  // namespace handover::test
