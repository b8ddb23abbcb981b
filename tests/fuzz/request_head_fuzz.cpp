// SPDX-License-Identifier: MIT
// A verdict does not change when more bytes follow, and needs no byte beyond the head.
#include "fuzzer.h"
#include "http/request_head.h"

#include <string>
#include <string_view>

using handover::http::HeadVerdict;
using handover::http::RequestHead;
using handover::http::scan_request_head;

namespace {

constexpr handover::http::HeadLimits limits{
    .bytes_max = 4096, .lines_max = 20, .body_bytes_max = 1000};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    RequestHead head;
    const auto verdict = scan_request_head(bytes, limits, head);
    require(handover::http::count_leading_empty_lines(bytes) <= size);
    if (verdict == HeadVerdict::incomplete) {
        require(size < limits.bytes_max + 1);
        return 0;
    }
    RequestHead longer;
    require(scan_request_head(std::string(bytes) + "GET / HTTP/1.1\r\n\r\n", limits, longer) ==
            verdict);
    if (verdict != HeadVerdict::complete) return 0;
    require(head.length_bytes <= size && head.length_bytes == longer.length_bytes);
    require(bytes.substr(0, head.length_bytes).ends_with("\r\n\r\n"));
    require(!(head.chunked && head.content_length_bytes != 0));
    require(head.content_length_bytes <= limits.body_bytes_max);
    RequestHead exact;
    require(scan_request_head(bytes.substr(0, head.length_bytes), limits, exact) ==
            HeadVerdict::complete);
    return 0;
}
