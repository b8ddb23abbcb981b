// SPDX-License-Identifier: MIT
#include "http/request_head.h"

#include "http/ascii.h"
#include "http/byte_ranges.h"

#include <algorithm>
#include <utility>

namespace handover::http {
namespace {

bool is_token(std::string_view text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return is_token_char(c); });
}

/// Readers of documents ask for a few. Debian 12's httplib puts together, in memory, all ranges
/// that are named, were they ten thousand times the whole file.
constexpr std::ptrdiff_t ranges_max = 8;

/// "GET /path HTTP/1.1": exactly two single spaces, no control characters, a version we speak.
bool scan_request_line(std::string_view line, RequestHead& head) {
    const auto first = line.find(' ');
    if (first == std::string_view::npos) return false;
    const auto second = line.find(' ', first + 1);
    if (second == std::string_view::npos || second == first + 1) return false;
    const auto version = line.substr(second + 1);
    if (version == "HTTP/1.0") {
        head.http_1_0 = true;
    } else if (version != "HTTP/1.1") {
        return false;
    }
    const auto target = line.substr(first + 1, second - first - 1);
    return is_token(line.substr(0, first)) &&
           std::none_of(target.begin(), target.end(), [](char c) { return is_control_char(c); });
}

/// httplib before 0.44 percent-decodes header values, so these would become real line breaks. It
/// knows a form that is in no standard as well: %u and four digits.
bool contains_encoded_control(std::string_view value) {
    for (auto at = value.find('%'); at != std::string_view::npos; at = value.find('%', at + 1)) {
        auto code = value.substr(at + 1);
        if (code.starts_with("u00")) code.remove_prefix(3);
        if (code.size() < 2 || code[0] != '0') continue;
        const char digit = to_lower(code[1]);
        if (digit == '0' || digit == 'a' || digit == 'd') return true;
    }
    return false;
}

/// Reads the header lines of one head. Each function returns false if the head must be refused.
class HeaderLines {
  public:
    explicit HeaderLines(RequestHead& head) : head_(head) {}

    bool scan(std::string_view line) {
        const auto colon = line.find(':');
        if (colon == std::string_view::npos) return false;
        // A name with a space in it, or a line that begins with one (obs-fold), is not a token.
        const auto name = line.substr(0, colon);
        if (!is_token(name)) return false;
        const auto value = trim(line.substr(colon + 1));
        const auto bad = [](char c) { return c != '\t' && is_control_char(c); };
        if (std::any_of(value.begin(), value.end(), bad)) return false;
        if (contains_encoded_control(value)) head_.has_encoded_control = true;
        return interpret(name, value);
    }

    [[nodiscard]] bool body_is_coded() const { return coded_; }

    /// After the last line: what only the whole head can tell.
    bool finish() {
        if (head_.chunked && (has_length_ || head_.http_1_0)) return false;
        head_.wants_close = close_ || (head_.http_1_0 && !keep_alive_);
        head_.websocket = websocket_ && !head_.chunked && head_.content_length_bytes == 0;
        return true;
    }

  private:
    bool interpret(std::string_view name, std::string_view value) {
        switch (name.size()) {  // the quickest way to see that a line is none of ours
            case 4:
                return !equal_ignoring_case(name, "Host") || !std::exchange(has_host_, true);
            case 5:
                return !equal_ignoring_case(name, "Range") || ranges(value);
            case 6:
                if (equal_ignoring_case(name, "Expect"))
                    head_.expects_continue = equal_ignoring_case(value, "100-continue");
                return true;
            case 7:
                if (equal_ignoring_case(name, "Upgrade"))
                    websocket_ = equal_ignoring_case(value, "websocket");
                return true;
            case 10:
                if (equal_ignoring_case(name, "Connection")) connection(value);
                return !is_forged_address(name);
            case 11:
                return !is_forged_address(name);
            case 14:
                return !equal_ignoring_case(name, "Content-Length") || content_length(value);
            case 15:
                return !equal_ignoring_case(name, "X-Forwarded-For") || !names_nobody(value);
            case 16:
                if (equal_ignoring_case(name, "Content-Encoding"))
                    coded_ = coded_ || !equal_ignoring_case(value, "identity");
                return true;
            case 17:
                if (!equal_ignoring_case(name, "Transfer-Encoding")) return true;
                return equal_ignoring_case(value, "chunked") && !std::exchange(head_.chunked, true);
            default:
                return true;
        }
    }

    bool content_length(std::string_view value) {
        constexpr std::size_t digits_max = 18;  // below 2^63: no sum of ours overflows
        if (std::exchange(has_length_, true) || value.empty() || value.size() > digits_max)
            return false;
        for (const char c : value) {
            if (c < '0' || c > '9') return false;
            head_.content_length_bytes = head_.content_length_bytes * 10 + std::uint64_t(c - '0');
        }
        return true;
    }

    bool ranges(std::string_view value) {
        ranges_ += 1 + std::count(value.begin(), value.end(), ',');
        head_.has_foreign_range = head_.has_foreign_range || !parse_byte_ranges(value);
        return ranges_ <= ranges_max;
    }

    void connection(std::string_view value) {
        while (!value.empty()) {
            const auto comma = std::min(value.find(','), value.size());
            const auto option = trim(value.substr(0, comma));
            if (equal_ignoring_case(option, "close")) close_ = true;
            if (equal_ignoring_case(option, "keep-alive")) keep_alive_ = true;
            value.remove_prefix(std::min(comma + 1, value.size()));
        }
    }

    /// httplib before 0.27 keeps the addresses of the connection under these names, where a client
    /// could put others in front of them.
    static bool is_forged_address(std::string_view name) {
        return equal_ignoring_case(name, "REMOTE_ADDR") ||
               equal_ignoring_case(name, "REMOTE_PORT") ||
               equal_ignoring_case(name, "LOCAL_ADDR") || equal_ignoring_case(name, "LOCAL_PORT");
    }

    /// httplib before 0.44, if it has been told of trusted proxies, ends the process on a list in
    /// which there is nothing, percent-encoded or not (CVE-2026-46527).
    static bool names_nobody(std::string_view list) {
        const auto first = list.find_first_not_of(", \t");
        return first == std::string_view::npos || list[first] == '%';
    }

    RequestHead& head_;
    bool has_length_ = false;
    bool has_host_ = false;
    bool coded_ = false;
    std::ptrdiff_t ranges_ = 0;
    bool close_ = false;
    bool keep_alive_ = false;
    bool websocket_ = false;
};

}  // namespace

HeadVerdict scan_request_head(std::string_view bytes, const HeadLimits& limits, RequestHead& head) {
    head = RequestHead{};
    // Whatever speaks another protocol, TLS say, need not wait for a line end that never comes.
    if (!bytes.empty() && bytes[0] != '\r' && !is_token_char(bytes[0]))
        return HeadVerdict::malformed;
    HeaderLines headers(head);
    const auto window = bytes.substr(0, limits.bytes_max);
    std::size_t begin = 0;
    for (std::size_t lines = 0;; ++lines) {
        const auto line_feed = window.find('\n', begin);
        if (line_feed == std::string_view::npos)
            return window.size() < limits.bytes_max ? HeadVerdict::incomplete
                                                    : HeadVerdict::head_too_large;
        if (line_feed == begin || window[line_feed - 1] != '\r') return HeadVerdict::malformed;
        const auto line = window.substr(begin, line_feed - 1 - begin);
        begin = line_feed + 1;
        if (lines == 0) {
            if (!scan_request_line(line, head)) return HeadVerdict::malformed;
        } else if (line.empty()) {
            break;
        } else if (lines > limits.lines_max) {
            return HeadVerdict::head_too_large;
        } else if (!headers.scan(line)) {
            return HeadVerdict::malformed;
        }
    }
    if (!headers.finish()) return HeadVerdict::malformed;
    head.length_bytes = begin;
    if (head.content_length_bytes > limits.body_bytes_max) return HeadVerdict::body_too_large;
    return headers.body_is_coded() ? HeadVerdict::body_is_coded : HeadVerdict::complete;
}

void hide_ranges(std::span<char> head) {
    constexpr std::string_view name = "Range:";
    static_assert(hidden_range_name.size() + 1 == name.size());
    const std::string_view text(head.data(), head.size());
    for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n', end + 1))
        if (equal_ignoring_case(text.substr(end + 1, name.size()), name))
            std::copy(hidden_range_name.begin(), hidden_range_name.end(),
                      head.begin() + static_cast<std::ptrdiff_t>(end + 1));
}

std::size_t count_leading_empty_lines(std::string_view bytes) {
    std::size_t count = 0;
    while (bytes.substr(count, 2) == "\r\n") count += 2;
    return count;
}

}  // namespace handover::http
