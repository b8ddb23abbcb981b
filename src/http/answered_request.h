// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace handover::http {

/// A request that has been answered or refused, for an access log: see ServerOptions::on_answer.
/// The texts are what the client sent, any bytes whatever: see handover::printable(). Each
/// string_view is valid until on_answer returns.
struct AnsweredRequest {
    std::string remote_ip;          ///< the client's, as inet_ntop(3) prints it; empty: unix socket
    std::string_view request_line;  ///< as much of it as has come, without its line break
    std::string_view referer;       ///< value of the header Referer; empty: there was none
    std::string_view user_agent;    ///< value of the header User-Agent; empty: there was none
    int status = 0;                 ///< of the response (RFC 9110, section 15)
    std::uint64_t body_bytes = 0;   ///< of the response's body, as many as the kernel has taken
    /// When all of the request's head was there; of one that timed out before that, when it began.
    std::chrono::system_clock::time_point begin;
    std::chrono::nanoseconds duration{0};  ///< from `begin` to the end of the response
};

}  // namespace handover::http
