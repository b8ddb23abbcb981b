// SPDX-License-Identifier: MIT
#pragma once

#include "http/answered_request.h"
#include "http/server_options.h"
#include "http/socket_name.h"

#include <cstdint>
#include <string_view>

namespace handover::http {

/// What an access log wants to know of the head of a request: where that is complete, and where it
/// is not or makes no sense, what can be found. Views into `head`, still to be escaped.
struct RequestText {
    std::string_view line;
    std::string_view referer;
    std::string_view user_agent;
};
[[nodiscard]] RequestText find_request_text(std::string_view head);

/// Tells ServerOptions::on_answer, which must be set, of an answer whose last byte is sent now.
/// `begin` is when the request had come, or began to.
void tell_answer(const ServerOptions& options, const SocketName& remote, std::string_view head,
                 int status, std::uint64_t body_bytes, Clock::time_point begin);

}  // namespace handover::http
