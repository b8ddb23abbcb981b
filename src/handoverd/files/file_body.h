// SPDX-License-Identifier: MIT
#pragma once

#include "handover/unique_fd.h"
#include "http/byte_ranges.h"

#include <httplib.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace handoverd {

/// What is sent of a file: parts of it, and text around them. The file is read while it is sent, by
/// one descriptor: a file that takes its name meanwhile changes nothing.
class FileBody {
  public:
    explicit FileBody(handover::UniqueFd file);

    void add(const std::string& text);
    void add(const handover::http::ByteSpan& span);
    /// Several parts of the file as multipart/byteranges (RFC 9110, 14.6). `type` and `size` are
    /// the file's; that the boundary is in no part of it is up to the caller.
    void add_multipart(const std::vector<handover::http::ByteSpan>& spans, const std::string& type,
                       std::uint64_t size, const std::string& boundary);

    [[nodiscard]] std::uint64_t size() const { return size_; }
    /// Up to `size` bytes of the body from `offset` on, at least one; 0 if the file has become too
    /// short for it, or -1 and errno.
    [[nodiscard]] ssize_t read(std::uint64_t offset, char* to, std::size_t size) const;

  private:
    struct Piece {
        std::string text;  ///< and after it
        handover::http::ByteSpan span;
    };
    std::shared_ptr<const handover::UniqueFd> file_;  // a std::function wants to be copied
    std::vector<Piece> pieces_;
    std::uint64_t size_ = 0;
};

/// Makes `body` that of a response, or only its length the answer to a HEAD. Little is read at once
/// and sent with one system call; else no more than a small piece is in memory at a time.
///
/// If the file is cut short before all is sent, the connection ends there: the client shall not
/// take it for the whole, nor what comes next for its rest. Then `cut_short` is called, from any
/// thread.
void send(FileBody body, const std::string& type, bool head_only, httplib::Response& response,
          std::function<void()> cut_short);

/// For the header Content-Range, of a file of this size: "bytes 0-9/100".
[[nodiscard]] std::string content_range(const handover::http::ByteSpan& span, std::uint64_t size);

}  // namespace handoverd
