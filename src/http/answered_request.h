// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace handover::http {

/// A request that has been answered or refused, for whoever keeps an access log. The texts are what
/// the client sent, whatever that is; they are borrowed for the length of a call.
struct AnsweredRequest {
    std::string remote_ip;          ///< as SocketName prints it; empty for unix sockets
    std::string_view request_line;  ///< as much of it as has come, without its line break
    std::string_view referer;
    std::string_view user_agent;
    int status = 0;
    std::uint64_t body_bytes = 0;  ///< of the response, that the kernel took from us
    std::chrono::system_clock::time_point begin;
    std::chrono::nanoseconds duration{0};  ///< from there to the end of the response
};

}  // namespace handover::http
