// SPDX-License-Identifier: MIT
#pragma once

#include "handover/report.h"

#include <spdlog/spdlog.h>

#include <string>

namespace handoverd {

/// The log, which is stderr: with fields and priorities where that is the journal, as readable
/// lines on a terminal, with the time of day and the severity elsewhere. Each message is one line
/// of printable() text. Who logs never waits for whoever takes it (log_queue.h); what is lost is
/// counted. `level`: debug, info, warning, error.
///
/// For the lifetime of this object, which is the only one: what is logged by write_log() and by
/// spdlog's functions goes there. Its destructor waits for the last lines, for a second at most.
class Log {
  public:
    explicit Log(const std::string& level);
    ~Log();
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;
};

/// A report with its facts. With the last words of a generation it waits until they are written,
/// for a second at most: the process is about to end, or to become another program.
void write_log(const handover::Report& report);

/// A line of the access log, as it is to be written.
void write_access_line(std::string line);

/// Waits until all is written, for a second at most; before an _exit(2).
void flush_log();

/// What a line on stderr begins with for the journal to know that it is an error; empty elsewhere.
/// For what is told without a Log.
[[nodiscard]] std::string error_prefix();

}  // namespace handoverd
