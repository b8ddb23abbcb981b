// SPDX-License-Identifier: MIT
#include "handoverd/files/file_body.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace handoverd {
namespace {

using handover::UniqueFd;
using handover::http::ByteSpan;

/// Up to this size it is sent with one system call. What is larger is read while it is sent.
constexpr std::uint64_t whole_bytes_max = std::uint64_t{64} << 10U;
constexpr std::size_t piece_bytes = std::size_t{64} << 10U;

ssize_t read_at(const UniqueFd& file, char* to, std::size_t size, std::uint64_t offset) {
    ssize_t count = 0;
    do count = ::pread(file.get(), to, size, static_cast<off_t>(offset));
    while (count < 0 && errno == EINTR);
    return count;
}

/// False if there is less than all.
bool read_whole(const FileBody& body, std::string& text) {
    text.resize(static_cast<std::size_t>(body.size()));
    for (std::size_t done = 0; done < text.size();) {
        const auto count = body.read(done, text.data() + done, text.size() - done);
        if (count <= 0) return false;
        done += static_cast<std::size_t>(count);
    }
    return true;
}

}  // namespace

FileBody::FileBody(UniqueFd file) : file_(std::make_shared<const UniqueFd>(std::move(file))) {}

void FileBody::add(const std::string& text) {
    pieces_.push_back({text, {0, 0}});
    size_ += text.size();
}

void FileBody::add(const ByteSpan& span) {
    pieces_.push_back({{}, span});
    size_ += span.size;
}

void FileBody::add_multipart(const std::vector<ByteSpan>& spans, const std::string& type,
                             std::uint64_t size, const std::string& boundary) {
    std::string line_end;
    for (const auto& span : spans) {
        std::string head = line_end;
        head.append("--").append(boundary).append("\r\nContent-Type: ").append(type);
        head.append("\r\nContent-Range: ").append(content_range(span, size)).append("\r\n\r\n");
        add(head);
        add(span);
        line_end = "\r\n";
    }
    add("\r\n--" + boundary + "--\r\n");
}

ssize_t FileBody::read(std::uint64_t offset, char* to, std::size_t size) const {
    for (const auto& [text, span] : pieces_) {
        if (offset < text.size()) {
            size = std::min<std::size_t>(size, text.size() - offset);
            std::memcpy(to, text.data() + offset, size);
            return static_cast<ssize_t>(size);
        }
        offset -= text.size();
        if (offset < span.size)
            return read_at(*file_, to, std::min<std::uint64_t>(size, span.size - offset),
                           span.begin + offset);
        offset -= span.size;
    }
    return 0;
}

void send(FileBody body, const std::string& type, bool head_only, httplib::Response& response,
          std::function<void()> cut_short) {
    const bool whole =
        !head_only && body.size() <= whole_bytes_max && read_whole(body, response.body);
    if (head_only) response.set_header("Content-Length", std::to_string(body.size()));
    if (head_only || whole) return response.set_header("Content-Type", type);
    response.body.clear();
    const auto size = static_cast<std::size_t>(body.size());
    response.set_content_provider(
        size, type,
        [body = std::move(body), cut_short = std::move(cut_short)](
            std::size_t offset, std::size_t length, httplib::DataSink& sink) {
            std::array<char, piece_bytes> piece;
            const auto count = body.read(offset, piece.data(), std::min(length, piece.size()));
            if (count <= 0) cut_short();
            return count > 0 && sink.write(piece.data(), static_cast<std::size_t>(count));
        });
}

std::string content_range(const ByteSpan& span, std::uint64_t size) {
    return "bytes " + std::to_string(span.begin) + "-" +
           std::to_string(span.begin + span.size - 1) + "/" + std::to_string(size);
}

}  // namespace handoverd
