// SPDX-License-Identifier: MIT
#pragma once

#include "http/server_counters.h"

namespace handover::http {

/// Answers we give ourselves, because the request never gets as far as cpp-httplib: by status.
enum class Refusal {
    malformed = 400,
    request_timeout = 408,
    body_too_large = 413,
    body_is_coded = 415,
    head_too_large = 431,
};

/// Counts the answer and sends it, with "Connection: close", without waiting: a client that has
/// filled our send buffer already does not read. Then ends our direction of the stream; the caller
/// lets it linger.
void refuse(int fd, Refusal refusal, const ServerCounters& counters) noexcept;

}  // namespace handover::http
