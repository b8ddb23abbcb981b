// SPDX-License-Identifier: MIT
#include "http/request_text.h"

#include "http/ascii.h"

namespace handover::http {
namespace {

/// Takes a line off, without its break: LF, or CR LF.
std::string_view take_line(std::string_view& rest) {
    const auto end = rest.find('\n');
    auto line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

}  // namespace

RequestText find_request_text(std::string_view head) {
    RequestText found;
    found.line = take_line(head);
    while (!head.empty()) {
        const auto line = take_line(head);
        if (line.empty()) break;
        const auto colon = line.find(':');
        if (colon == std::string_view::npos) continue;
        const auto name = line.substr(0, colon);
        if (equal_ignoring_case(name, "Referer")) found.referer = trim(line.substr(colon + 1));
        if (equal_ignoring_case(name, "User-Agent"))
            found.user_agent = trim(line.substr(colon + 1));
    }
    return found;
}

void tell_answer(const ServerOptions& options, const SocketName& remote, std::string_view head,
                 int status, std::uint64_t body_bytes, Clock::time_point begin) {
    const auto text = find_request_text(head);
    const auto duration = Clock::now() - begin;
    const auto since = std::chrono::system_clock::now() -
                       std::chrono::duration_cast<std::chrono::system_clock::duration>(duration);
    options.on_answer({remote.ip(), text.line, text.referer, text.user_agent, status, body_bytes,
                       since, duration});
}

}  // namespace handover::http
