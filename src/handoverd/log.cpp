// SPDX-License-Identifier: MIT
#include "handoverd/log.h"

#include "handover/printable.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>

namespace handoverd {
namespace {

/// %* : the priority of syslog(3), as <3> ... <7>.
class Priority : public spdlog::custom_flag_formatter {
  public:
    void format(const spdlog::details::log_msg& message, const std::tm&,
                spdlog::memory_buf_t& line) override {
        const char digit = message.level >= spdlog::level::err    ? '3'
                           : message.level == spdlog::level::warn ? '4'
                           : message.level == spdlog::level::info ? '6'
                                                                  : '7';
        for (const char c : {'<', digit, '>'}) line.push_back(c);
    }
    [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
        return std::make_unique<Priority>();
    }
};

/// %& : the message, of which clients and other processes may have written a part, as one line.
class OneLine : public spdlog::custom_flag_formatter {
  public:
    void format(const spdlog::details::log_msg& message, const std::tm&,
                spdlog::memory_buf_t& line) override {
        const auto text = handover::printable({message.payload.data(), message.payload.size()});
        line.append(text.data(), text.data() + text.size());
    }
    [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
        return std::make_unique<OneLine>();
    }
};

/// $JOURNAL_STREAM names the device and inode of the journal's socket (systemd.exec(5)); it is
/// inherited by everything, so it only counts if stderr still is that socket.
bool stderr_is_the_journal() {
    const char* stream = std::getenv("JOURNAL_STREAM");
    struct stat status {};
    return stream && ::fstat(STDERR_FILENO, &status) == 0 &&
           std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino) == stream;
}

}  // namespace

void set_up_log(const std::string& level) {
    auto formatter = std::make_unique<spdlog::pattern_formatter>();
    formatter->add_flag<Priority>('*').add_flag<OneLine>('&').set_pattern(
        stderr_is_the_journal() ? "%*%&" : "%Y-%m-%dT%H:%M:%S.%e%z %l: %&");
    auto logger = std::make_shared<spdlog::logger>(
        "handoverd", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    logger->set_formatter(std::move(formatter));
    logger->set_level(spdlog::level::from_str(level));
    spdlog::set_default_logger(std::move(logger));
}

}  // namespace handoverd
