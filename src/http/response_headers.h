// SPDX-License-Identifier: MIT
#pragma once

#include <httplib.h>

#include <string>
#include <string_view>

namespace handover::http {

/// In requests: httplib before 0.44 percent-decodes header values, line breaks included. Somebody
/// who logs or forwards such a value would write a header of the client's making.
void drop_headers_with_line_breaks(httplib::Headers& headers);

/// 204 and 304 have none (RFC 9110, 6.4.1).
[[nodiscard]] bool may_have_body(int status);

/// What the headers of a response say about its connection.
struct Framing {
    bool has_length_or_chunks = false;
    bool says_connection = false;
    bool says_close = false;
    bool has_date = false;
};

/// Reads the headers of a response and drops what must not be sent, in one pass: it is done for
/// every response, and a look-up in httplib's map compares letter by letter. httplib says
/// "Content-Length: 0" where there is no body: of a 304 that would be the length of what the client
/// has.
[[nodiscard]] Framing clean_response_headers(httplib::Headers& headers, int status);

/// The value of a Date header: caches reckon with it (RFC 9110, 6.6.1). Put together once a second
/// by each worker.
[[nodiscard]] const std::string& date_now();

/// HTTP/1.0 knows nothing of chunks: such a body ends with the connection. httplib sends chunks to
/// everybody.
void send_without_chunks(httplib::Response& response);

/// Takes one header with this value out of `headers`; empty if there is none.
[[nodiscard]] httplib::Headers::node_type take_one(httplib::Headers& headers, std::string_view name,
                                                   std::string_view value);

}  // namespace handover::http
