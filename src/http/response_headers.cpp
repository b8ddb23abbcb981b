// SPDX-License-Identifier: MIT
#include "http/response_headers.h"

#include "http/ascii.h"
#include "http/http_date.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

namespace handover::http {
namespace {

/// httplib before 0.30 writes into a response what a handler has put there, so that a client whose
/// text is in it would write headers of its making, or a response (CVE-2026-21428).
bool breaks_lines(std::string_view text) {
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

}  // namespace

void drop_headers_with_line_breaks(httplib::Headers& headers) {
    for (auto header = headers.begin(); header != headers.end();) {
        const bool bad = breaks_lines(header->first) || breaks_lines(header->second);
        header = bad ? headers.erase(header) : std::next(header);
    }
}

bool may_have_body(int status) {
    return status != 204 && status != 304;
}

Framing clean_response_headers(httplib::Headers& headers, int status) {
    Framing framing;
    for (auto header = headers.begin(); header != headers.end();) {
        const auto& [name, value] = *header;
        // httplib before 0.35 tells the client what() of an exception (CVE-2026-28434). An error
        // handler may have chosen another status since.
        if (breaks_lines(name) || breaks_lines(value) || equal_ignoring_case(name, "Keep-Alive") ||
            equal_ignoring_case(name, "EXCEPTION_WHAT") ||
            (!may_have_body(status) && equal_ignoring_case(name, "Content-Length"))) {
            header = headers.erase(header);
            continue;
        }
        if (equal_ignoring_case(name, "Connection")) {
            framing.says_connection = true;
            framing.says_close = framing.says_close || equal_ignoring_case(value, "close");
        }
        framing.has_date = framing.has_date || equal_ignoring_case(name, "Date");
        framing.has_length_or_chunks = framing.has_length_or_chunks ||
                                       equal_ignoring_case(name, "Content-Length") ||
                                       equal_ignoring_case(name, "Transfer-Encoding");
        ++header;
    }
    return framing;
}

const std::string& date_now() {
    thread_local std::chrono::sys_seconds second{std::chrono::seconds(-1)};
    thread_local std::string text;
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    if (now != std::exchange(second, now)) text = to_http_date(now);
    return text;
}

void send_without_chunks(httplib::Response& response) {
    response.is_chunked_content_provider_ = false;
    response.headers.erase("Transfer-Encoding");
}

httplib::Headers::node_type take_one(httplib::Headers& headers, std::string_view name,
                                     std::string_view value) {
    for (auto header = headers.begin(); header != headers.end(); ++header)
        if (equal_ignoring_case(header->first, name) && header->second == value)
            return headers.extract(header);
    return {};
}

}  // namespace handover::http
