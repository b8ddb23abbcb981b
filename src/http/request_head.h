// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace handover::http {

/// What the head of a request says about its framing and its connection. Nothing else in it is
/// looked at here: routing and the rest belong to cpp-httplib.
struct RequestHead {
    std::size_t length_bytes = 0;  ///< request line to empty line, both included
    std::uint64_t content_length_bytes = 0;
    bool chunked = false;
    bool http_1_0 = false;
    bool wants_close = false;          ///< "Connection: close", or HTTP/1.0 without keep-alive
    bool expects_continue = false;     ///< "Expect: 100-continue"
    bool websocket = false;            ///< "Upgrade: websocket"
    bool has_encoded_control = false;  ///< a header value contains %00, %0a, %0d, or %u000a...
    bool has_foreign_range = false;    ///< a Range is no list of byte ranges: see hide_ranges()
};

struct HeadLimits {
    std::size_t bytes_max;
    std::size_t lines_max;  ///< header lines, without the request line
    std::uint64_t body_bytes_max;
};

enum class HeadVerdict {
    incomplete,  ///< nothing wrong so far; read on
    complete,    ///< well-formed; `head` is filled in
    malformed,   ///< 400: two parsers could disagree about where it ends, or it can only do harm
    head_too_large,  ///< 431
    body_too_large,  ///< 413
    body_is_coded,   ///< 415: it would have to be decompressed
};

/// Judges the bytes received so far, which start at a request line. Pure; stricter than
/// cpp-httplib of any version, whose own reading of a head that passes here is then unambiguous.
/// A fault is found as soon as the line it is in is complete.
///
/// Refused although it is HTTP: a body with a Content-Encoding. No limit of ours counts what it
/// expands to, and httplib before 0.35 does not either (CVE-2026-22776, CVE-2026-28435). And an
/// X-Forwarded-For with nobody in it, on which httplib before 0.44 can crash (CVE-2026-46527).
///
/// Deliberately not refused: a missing Host, which httplib never looks at and people who type
/// requests by hand forget.
[[nodiscard]] HeadVerdict scan_request_head(std::string_view bytes, const HeadLimits& limits,
                                            RequestHead& head);

/// A Range header that is not understood is to be ignored (RFC 9110, 14.2), which httplib takes for
/// an error (416) before anybody is asked. Turns the names of all such headers in a complete head
/// into this one, which means nothing.
inline constexpr std::string_view hidden_range_name = "-----";
void hide_ranges(std::span<char> head);

/// Bytes of empty lines in front of a request line, which a server ignores (RFC 9112, 2.2).
[[nodiscard]] std::size_t count_leading_empty_lines(std::string_view bytes);

}  // namespace handover::http
