// SPDX-License-Identifier: MIT
#include "handoverd/log/access_line.h"

#include "handover/printable.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>

namespace handoverd {
namespace {

using handover::http::AnsweredRequest;

/// What Apache has a letter for.
char letter_for(char c) {
    switch (c) {
        case '\b':
            return 'b';
        case '\n':
            return 'n';
        case '\r':
            return 'r';
        case '\t':
            return 't';
        case '\v':
            return 'v';
        case '"':
        case '\\':
            return c;
        default:
            return '\0';
    }
}

std::string or_dash(std::string_view text) {
    return text.empty() ? "-" : escaped_as_apache_does(text);
}

/// An IPv4 client of an IPv6 listener is an IPv4 client.
std::string_view address_of(const AnsweredRequest& request) {
    constexpr std::string_view mapped = "::ffff:";
    std::string_view address = request.remote_ip;
    if (address.starts_with(mapped) && address.find('.') != std::string_view::npos)
        address.remove_prefix(mapped.size());
    return address;
}

/// "26/Nov/2026:03:04:05 +0000", local time. It is made once in a second and thread: it would take
/// longer than all the rest of a line.
std::string_view time_of(std::chrono::system_clock::time_point point) {
    struct Made {
        std::time_t second = -1;
        std::array<char, 64> text{};
        std::size_t size = 0;
    };
    thread_local Made made;
    const auto second = std::chrono::system_clock::to_time_t(point);
    if (second != made.second) {
        std::tm parts{};
        ::localtime_r(&second, &parts);
        made.size =
            std::strftime(made.text.data(), made.text.size(), "%d/%b/%Y:%H:%M:%S %z", &parts);
        made.second = second;
    }
    return {made.text.data(), made.size};
}

/// "2026-11-26T03:04:05.123Z"
std::string utc_of(std::chrono::system_clock::time_point point) {
    using namespace std::chrono;
    const auto whole = floor<seconds>(point);
    const std::time_t second = system_clock::to_time_t(whole);
    std::tm parts{};
    ::gmtime_r(&second, &parts);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900,
                       parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                       duration_cast<milliseconds>(point - whole).count());
}

/// After printable() there are no control characters.
std::string quoted(std::string_view text) {
    std::string result = "\"";
    for (const char c : handover::printable(text)) {
        if (c == '"' || c == '\\') result += '\\';
        result += c;
    }
    return result + '"';
}

/// "GET /path HTTP/1.1" in three; if it is not of three parts, all of it is the target.
struct RequestLine {
    explicit RequestLine(std::string_view line) : target(line) {
        const auto first = line.find(' ');
        const auto last = line.rfind(' ');
        if (first == std::string_view::npos || first == last) return;
        method = line.substr(0, first);
        target = line.substr(first + 1, last - first - 1);
        protocol = line.substr(last + 1);
    }
    std::string_view method;
    std::string_view target;
    std::string_view protocol;
};

}  // namespace

std::string escaped_as_apache_does(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string result;
    result.reserve(text.size());
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (const char letter = letter_for(c); letter != '\0') {
            result.append(1, '\\').append(1, letter);
        } else if (byte < 0x20 || byte > 0x7e) {
            result.append("\\x").append(1, digits[byte >> 4U]).append(1, digits[byte & 0xfU]);
        } else {
            result += c;
        }
    }
    return result;
}

std::string combined_line(const AnsweredRequest& request) {
    const auto address = address_of(request);
    return fmt::format("{} - - [{}] \"{}\" {} {} \"{}\" \"{}\"", address.empty() ? "-" : address,
                       time_of(request.begin), or_dash(request.request_line), request.status,
                       request.body_bytes == 0 ? "-" : std::to_string(request.body_bytes),
                       or_dash(request.referer), or_dash(request.user_agent));
}

std::string json_line(const AnsweredRequest& request, std::uint64_t generation) {
    const RequestLine line(request.request_line);
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(request.duration);
    return fmt::format(
        R"({{"time":"{}","remote":{},"method":{},"target":{},"protocol":{},"status":{},)"
        R"("bytes":{},"duration_us":{},"referer":{},"user_agent":{},"generation":{}}})",
        utc_of(request.begin), quoted(address_of(request)), quoted(line.method),
        quoted(line.target), quoted(line.protocol), request.status, request.body_bytes,
        std::max<std::int64_t>(micros.count(), 0), quoted(request.referer),
        quoted(request.user_agent), generation);
}

}  // namespace handoverd
