// SPDX-License-Identifier: MIT
#include "handoverd/log/access_log.h"

#include "handover/error.h"
#include "handoverd/log/access_line.h"
#include "handoverd/log/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

namespace handoverd {
namespace {

/// O_NONBLOCK is for a fifo: one that nobody reads must not keep a request waiting.
handover::UniqueFd open_to_append(const std::string& path) {
    if (path.empty()) return {};
    constexpr mode_t readable_for_the_group = 0640;
    handover::UniqueFd file(
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
               readable_for_the_group));
    if (!file)
        throw handover::os_error(
            "cannot open the access log " + path +
                " (under systemd its directory has to be writable: LogsDirectory=)",
            errno);
    // The limit on the size of a file (setrlimit(2)) is an error like others.
    ::signal(SIGXFSZ, SIG_IGN);
    return file;
}

}  // namespace

AccessLog::AccessLog(Format format, const std::string& path)
    : format_(format), path_(path), file_(open_to_append(path)) {}

void AccessLog::write(const handover::http::AnsweredRequest& request, std::uint64_t generation) {
    auto line = format_ == Format::json ? json_line(request, generation) : combined_line(request);
    if (file_)
        append(std::move(line));
    else
        write_access_line(std::move(line));
}

void AccessLog::append(std::string line) {
    line += '\n';
    const bool torn = torn_.load(std::memory_order_relaxed) && torn_.exchange(false);
    if (torn) line.insert(0, 1, '\n');
    ssize_t written = -1;
    do written = ::write(file_.get(), line.data(), line.size());
    while (written < 0 && errno == EINTR);
    if (written == static_cast<ssize_t>(line.size())) return;
    if (written > 0 || torn) torn_ = true;
    note_loss(written < 0 ? ::strerrordesc_np(errno) : "there was room for a part of a line only");
}

void AccessLog::note_loss(const std::string& why) {
    if (lost_.fetch_add(1) == 0)
        spdlog::warn("the access log {} cannot be written: {}; requests are answered all the same",
                     path_, why);
}

void AccessLog::tell_losses() {
    if (const auto lost = lost_.load(); lost != 0)
        spdlog::warn("{} line{} of the access log {} went missing", lost, lost == 1 ? "" : "s",
                     path_);
}

}  // namespace handoverd
