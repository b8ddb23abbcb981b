// SPDX-License-Identifier: MIT
// What is read as a date is written as one that is read as the same.
#include "fuzzer.h"
#include "http/http_date.h"

#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace handover::http;
    constexpr std::chrono::sys_seconds now{std::chrono::seconds(1700000000)};
    const auto time = parse_http_date({reinterpret_cast<const char*>(data), size}, now);
    if (!time) return 0;
    const auto text = to_http_date(*time);
    require(text.size() == 29 && parse_http_date(text, now) == time);
    return 0;
}
