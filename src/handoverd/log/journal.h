// SPDX-License-Identifier: MIT
#pragma once

#include "handover/report.h"
#include "handoverd/log/log_queue.h"

#include <string>
#include <vector>

namespace handoverd {

/// Is stderr the journal, so that what is written there is wanted there?
[[nodiscard]] bool stderr_is_the_journal();

/// The facts of a report as fields of the journal: MESSAGE_ID= and HANDOVER_*= (handoverd(8)).
/// Values are printable(): whoever reads them sees one line.
[[nodiscard]] std::vector<std::string> journal_fields(const handover::Report& report);

/// Sends an entry with its fields; may wait for the journal. False if it was not taken.
[[nodiscard]] bool send_to_journal(const LogEntry& entry);

/// As syslog(3) counts it: 3 is an error.
[[nodiscard]] int priority_of(handover::Report::Severity severity);

}  // namespace handoverd
