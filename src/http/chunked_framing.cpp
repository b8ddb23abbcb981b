// SPDX-License-Identifier: MIT
#include "http/chunked_framing.h"

#include "http/ascii.h"

#include <algorithm>

namespace handover::http {
namespace {

constexpr unsigned size_digits_max = 15;  // 60 bits: cannot overflow
constexpr std::size_t overhead_bytes_max = 8192;

int hex_value(char c) {
    c = to_lower(c);
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

}  // namespace

std::size_t ChunkedFraming::advance(const char* bytes, std::size_t size) {
    std::size_t at = 0;
    while (at < size && !ended() && !failed()) {
        if (state_ == State::data) {
            const auto skip = std::min<std::uint64_t>(size - at, chunk_left_);
            at += skip;
            chunk_left_ -= skip;
            if (chunk_left_ == 0) state_ = State::data_carriage_return;
        } else {
            state_ = next(bytes[at]);
            if (!failed()) ++at;
        }
    }
    return at;
}

ChunkedFraming::State ChunkedFraming::next(char c) {
    const auto expect = [c](char wanted, State then) { return c == wanted ? then : State::failed; };
    switch (state_) {
        case State::size:
            return in_size(c);
        case State::extension:
        case State::trailer: {
            if (++overhead_bytes_ > overhead_bytes_max) return State::failed;
            const bool in_trailer = state_ == State::trailer;
            if (c == '\r') return in_trailer ? State::trailer_line_feed : State::size_line_feed;
            return c != '\t' && is_control_char(c) ? State::failed : state_;
        }
        case State::size_line_feed:
            return c == '\n' ? after_size_line() : State::failed;
        case State::data_carriage_return:
            return expect('\r', State::data_line_feed);
        case State::data_line_feed:
            return expect('\n', State::size);
        case State::trailer_line_start:
            if (c == '\r') return State::last_line_feed;
            return is_token_char(c) ? State::trailer : State::failed;
        case State::trailer_line_feed:
            return expect('\n', State::trailer_line_start);
        case State::last_line_feed:
            return expect('\n', State::ended);
        case State::data:
        case State::ended:
        case State::failed:
            break;
    }
    return state_;
}

ChunkedFraming::State ChunkedFraming::in_size(char c) {
    if (const int digit = hex_value(c); digit >= 0) {
        if (++size_digits_ > size_digits_max) return State::failed;
        chunk_left_ = chunk_left_ * 16 + static_cast<unsigned>(digit);
        return State::size;
    }
    if (size_digits_ == 0) return State::failed;
    if (c == '\r') return State::size_line_feed;
    return c == ';' || c == ' ' || c == '\t' ? State::extension : State::failed;
}

ChunkedFraming::State ChunkedFraming::after_size_line() {
    size_digits_ = 0;
    if (chunk_left_ == 0) return State::trailer_line_start;
    too_large_ = chunk_left_ > data_left_;
    if (too_large_) return State::failed;
    data_left_ -= chunk_left_;
    return State::data;
}

}  // namespace handover::http
