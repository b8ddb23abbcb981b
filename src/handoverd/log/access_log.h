// SPDX-License-Identifier: MIT
#pragma once

#include "handover/unique_fd.h"
#include "http/answered_request.h"

#include <atomic>
#include <cstdint>
#include <string>

namespace handoverd {

/// One line for each request that was answered or refused: to a file, or with the log.
///
/// Each line is one write(2) at the end of the file, so that two generations can have it open. Each
/// opens it by its name when it starts: who renames it and reloads has rotated it, and no line is
/// lost. A line that cannot be written is counted; that is told when the first one is, and how many
/// there were at the end. Thread-safe.
class AccessLog {
  public:
    enum class Format { combined, json };

    /// An empty path: with the log. Throws handover::Error (os) if the file cannot be opened.
    AccessLog(Format format, const std::string& path);

    void write(const handover::http::AnsweredRequest& request, std::uint64_t generation);
    /// Tells how many lines went missing, if any.
    void tell_losses();

  private:
    void append(std::string line);
    void note_loss(const std::string& why);

    const Format format_;
    const std::string path_;
    const handover::UniqueFd file_;
    std::atomic<bool> torn_{false};  ///< the file ends in the middle of a line
    std::atomic<std::uint64_t> lost_{0};
};

}  // namespace handoverd
