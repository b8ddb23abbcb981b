// SPDX-License-Identifier: MIT
#include "http/error_response.h"

#include <sys/socket.h>

#include <string_view>

namespace handover::http {
namespace {

std::string_view response(Refusal refusal) noexcept {
    switch (refusal) {
        case Refusal::malformed:
            return "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        case Refusal::request_timeout:
            return "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        case Refusal::body_too_large:
            return "HTTP/1.1 413 Payload Too Large\r\nContent-Length: 0\r\nConnection: "
                   "close\r\n\r\n";
        case Refusal::body_is_coded:
            return "HTTP/1.1 415 Unsupported Media Type\r\nAccept-Encoding: identity\r\n"
                   "Content-Length: 0\r\nConnection: close\r\n\r\n";
        case Refusal::head_too_large:
            break;
    }
    return "HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Length: 0\r\n"
           "Connection: close\r\n\r\n";
}

}  // namespace

void refuse(int fd, Refusal refusal, const ServerCounters& counters) noexcept {
    counters.answered(static_cast<int>(refusal));
    const auto text = response(refusal);
    (void)::send(fd, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)::shutdown(fd, SHUT_WR);
}

}  // namespace handover::http
