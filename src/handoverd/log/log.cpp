// SPDX-License-Identifier: MIT
#include "handoverd/log/log.h"

#include "handover/printable.h"
#include "handoverd/log/journal.h"
#include "handoverd/log/log_queue.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace handoverd {
namespace {

using handover::Report;

/// Hundreds of handovers, or a burst of requests. Some megabytes at worst.
constexpr std::size_t queue_entries_max = 8192;

spdlog::level::level_enum level_of(Report::Severity severity) {
    switch (severity) {
        case Report::Severity::debug:
            return spdlog::level::debug;
        case Report::Severity::info:
            return spdlog::level::info;
        case Report::Severity::warning:
            return spdlog::level::warn;
        case Report::Severity::error:
            break;
    }
    return spdlog::level::err;
}

Report::Severity severity_of(spdlog::level::level_enum level) {
    return level >= spdlog::level::err    ? Report::Severity::error
           : level == spdlog::level::warn ? Report::Severity::warning
           : level == spdlog::level::info ? Report::Severity::info
                                          : Report::Severity::debug;
}

/// %*: "warning: " and "error: "; what is less needs no word for it.
class SeverityPrefix : public spdlog::custom_flag_formatter {
  public:
    void format(const spdlog::details::log_msg& message, const std::tm&,
                spdlog::memory_buf_t& line) override {
        if (message.level < spdlog::level::warn) return;
        const std::string_view text =
            message.level == spdlog::level::warn ? "warning: " : "error: ";
        line.append(text.data(), text.data() + text.size());
    }
    [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
        return std::make_unique<SeverityPrefix>();
    }
};

bool wants_colour() {
    const char* no = std::getenv("NO_COLOR");
    return no == nullptr || *no == '\0';
}

std::shared_ptr<spdlog::sinks::sink> terminal() {
    auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>(
        wants_colour() ? spdlog::color_mode::automatic : spdlog::color_mode::never);
    sink->set_color(spdlog::level::info, std::string_view());
    auto formatter = std::make_unique<spdlog::pattern_formatter>();
    formatter->add_flag<SeverityPrefix>('*').set_pattern("%T %^%*%v%$");
    sink->set_formatter(std::move(formatter));
    return sink;
}

/// Where lines go: a terminal or not.
std::shared_ptr<spdlog::sinks::sink> lines() {
    if (::isatty(STDERR_FILENO) == 1) return terminal();
    auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    sink->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l: %v");
    return sink;
}

void write_bare_line(const std::string& line) {
    const std::string whole = line + '\n';
    (void)!::write(STDERR_FILENO, whole.data(), whole.size());
}

/// On the thread of the queue.
class Writer {
  public:
    void write(const LogEntry& entry) const {
        if (is_journal_ && send_to_journal(entry)) return;
        const auto text = entry.is_access ? entry.text : handover::printable(entry.text);
        if (is_journal_)
            write_bare_line("<" + std::to_string(priority_of(entry.severity)) + ">" + text);
        else if (entry.is_access)
            write_bare_line(text);
        else
            lines_->log({entry.when, {}, "", level_of(entry.severity), text});
    }

  private:
    const bool is_journal_ = stderr_is_the_journal();
    const std::shared_ptr<spdlog::sinks::sink> lines_ = lines();
};

/// There is one log, as there is one stderr.
std::optional<LogQueue>& queue() {
    static std::optional<LogQueue> the_queue;
    return the_queue;
}

/// What is logged by spdlog's functions, from wherever.
class ToQueue : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
  protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        if (queue())
            queue()->post(
                {severity_of(message.level), {message.payload.data(), message.payload.size()}});
    }
    void flush_() override {}
};

}  // namespace

Log::Log(const std::string& level) {
    queue().emplace(queue_entries_max,
                    [writer = Writer()](const LogEntry& one) { writer.write(one); });
    auto logger = std::make_shared<spdlog::logger>("handoverd", std::make_shared<ToQueue>());
    logger->set_level(spdlog::level::from_str(level));
    spdlog::set_default_logger(std::move(logger));
}

Log::~Log() {
    spdlog::default_logger_raw()->set_level(spdlog::level::off);
    queue().reset();
}

void write_log(const Report& report) {
    if (queue() && spdlog::should_log(level_of(report.severity)))
        queue()->post({report.severity, report.text, journal_fields(report)});
    if (report.event == Report::Event::ended) flush_log();
}

void write_access_line(std::string line) {
    if (queue()) queue()->post({Report::Severity::info, std::move(line), {}, /*is_access=*/true});
}

void flush_log() {
    if (queue()) (void)queue()->flush(LogQueue::last_words);
}

std::string error_prefix() {
    return stderr_is_the_journal()
               ? "<" + std::to_string(priority_of(Report::Severity::error)) + ">"
               : "";
}

}  // namespace handoverd
