// SPDX-License-Identifier: MIT
// Whatever is in an Accept-Encoding, weights are weights, and another line of it takes nothing
// back.
#include "fuzzer.h"
#include "handoverd/files/content_coding.h"

#include <string>

using namespace handoverd;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string header(reinterpret_cast<const char*>(data), size);
    const AcceptedCodings accepted(header);
    const AcceptedCodings with_gzip(header + ", gzip");
    require(accepted.plain_weight() >= 0 && accepted.plain_weight() <= 1000);
    for (const auto& coding : content_codings) {
        const int weight = accepted.weight(coding);
        require(weight >= 0 && weight <= 1000);
        require(with_gzip.weight(coding) == (coding.name == "gzip" ? 1000 : weight));
    }
    return 0;
}
