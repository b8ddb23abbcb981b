// SPDX-License-Identifier: MIT
#include "handoverd/log/journal.h"

#include "handover/printable.h"

// Not the place in our source, which tells an operator nothing.
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace handoverd {
namespace {

using handover::Report;

constexpr const char* socket_of_the_journal = "/run/systemd/journal/socket";

/// For journalctl MESSAGE_ID=...: never to be changed, and listed in handoverd(8).
std::string_view message_id(Report::Event event) {
    switch (event) {
        case Report::Event::other:
            break;
        case Report::Event::serving:
            return "12e65abc954e4d18bb6b4fbce1574f9c";
        case Report::Event::took_over:
            return "ce53012d4dbc4fa58e0ded48834f0edc";
        case Report::Event::handover_failed:
            return "ad3e8fbd230d4cdd91a990b18fc6d366";
        case Report::Event::rolled_back:
            return "69d598d9b7d54f34bb9e4160d313f980";
        case Report::Event::promoted:
            return "4efb05b40a314186a0d9b681fd9350aa";
        case Report::Event::restarting:
            return "69ce48d9b44f407ca935b032e453e13b";
        case Report::Event::stopping:
            return "cdfe93395e1642be96a161610f37441c";
        case Report::Event::ended:
            return "5dd5e592abfc4cb9bab8261f9944a95e";
    }
    return "";
}

class Fields {
  public:
    void add(const char* name, std::string_view value) {
        if (!value.empty()) result_.push_back(std::string(name) + "=" + handover::printable(value));
    }
    void add_number(const char* name, std::uint64_t value) { add(name, std::to_string(value)); }
    void add_known(const char* name, std::uint64_t value) {
        if (value != 0) add_number(name, value);
    }
    std::vector<std::string> take() { return std::move(result_); }

  private:
    std::vector<std::string> result_;
};

std::string upper(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return result;
}

void add_account(Fields& fields, const handover::ConnectionCounts& account) {
    fields.add_number("HANDOVER_HELD", account.opened);
    for (const auto ending : handover::all_close_reasons)
        fields.add_number(("HANDOVER_" + upper(to_string(ending))).c_str(), account[ending]);
}

iovec part(const std::string& field) {
    return {const_cast<char*>(field.data()), field.size()};
}

}  // namespace

/// $JOURNAL_STREAM names the device and inode of the journal's socket (systemd.exec(5)); it is
/// inherited by everything, so it only counts if stderr still is that socket.
bool stderr_is_the_journal() {
    const char* stream = std::getenv("JOURNAL_STREAM");
    struct stat status {};
    return stream && ::fstat(STDERR_FILENO, &status) == 0 &&
           std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino) == stream;
}

std::vector<std::string> journal_fields(const Report& report) {
    Fields fields;
    fields.add("MESSAGE_ID", message_id(report.event));
    if (report.event != Report::Event::other) fields.add("HANDOVER_EVENT", to_string(report.event));
    fields.add_known("HANDOVER_GENERATION", report.generation);
    fields.add_known("HANDOVER_FROM", report.from);
    fields.add_known("HANDOVER_TO", report.to);
    if (report.pid > 0) fields.add_number("HANDOVER_PID", static_cast<std::uint64_t>(report.pid));
    fields.add("HANDOVER_VERSION", report.version);
    fields.add("HANDOVER_REASON", report.reason);
    if (report.kind) fields.add("HANDOVER_KIND", to_string(*report.kind));
    if (report.result) fields.add("HANDOVER_RESULT", to_string(*report.result));
    if (report.duration)
        fields.add_number("HANDOVER_DURATION_MS", static_cast<std::uint64_t>(std::max<std::int64_t>(
                                                      report.duration->count(), 0)));
    if (report.account) add_account(fields, *report.account);
    for (const auto& listener : report.listeners)
        fields.add("HANDOVER_LISTENER", listener.name + " on " + listener.endpoint);
    return fields.take();
}

int priority_of(Report::Severity severity) {
    switch (severity) {
        case Report::Severity::debug:
            return LOG_DEBUG;
        case Report::Severity::info:
            return LOG_INFO;
        case Report::Severity::warning:
            return LOG_WARNING;
        case Report::Severity::error:
            return LOG_ERR;
    }
    return LOG_ERR;
}

/// Where there is no journal, sd_journal_sendv() reports success.
bool send_to_journal(const LogEntry& entry) {
    if (::access(socket_of_the_journal, W_OK) != 0) return false;
    const auto message =
        "MESSAGE=" + (entry.is_access ? entry.text : handover::printable(entry.text));
    const auto priority = "PRIORITY=" + std::to_string(priority_of(entry.severity));
    const std::string identifier =
        entry.is_access ? "SYSLOG_IDENTIFIER=handoverd-access" : "SYSLOG_IDENTIFIER=handoverd";
    std::vector<iovec> parts{part(message), part(priority), part(identifier)};
    for (const auto& field : entry.fields) parts.push_back(part(field));
    return ::sd_journal_sendv(parts.data(), static_cast<int>(parts.size())) == 0;
}

}  // namespace handoverd
