// SPDX-License-Identifier: MIT
#include "handoverd/static_files.h"

#include "handover/error.h"
#include "handover/unique_fd.h"
#include "handoverd/open_beneath.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <utility>

namespace handoverd {
namespace {

using handover::Error;
using handover::UniqueFd;

/// Files up to this size are sent with one system call, and httplib may compress them. Others are
/// read while they are sent.
constexpr off_t whole_bytes_max = off_t{64} << 10U;
constexpr std::size_t piece_bytes = std::size_t{64} << 10U;

UniqueFd open_root(const std::string& root) {
    return UniqueFd(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

/// For reading; or empty, and errno says why. It is opened by way of the place that was found, so
/// it is no other file than the one that was looked at.
UniqueFd open_regular(const UniqueFd& root, const std::string& name, struct stat& status) {
    const auto place = root ? open_beneath(root, name) : UniqueFd();
    if (!place || ::fstat(place.get(), &status) != 0) return UniqueFd();
    if (!S_ISREG(status.st_mode)) {
        errno = ENOENT;
        return UniqueFd();
    }
    const auto path = "/proc/self/fd/" + std::to_string(place.get());
    // Somebody with a lease on the file could let us wait (fcntl(2)).
    return UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
}

/// False where it is as if there were no such file.
bool refuse(int error, httplib::Response& response) {
    switch (error) {
        case EACCES:
        case EPERM:
            response.status = 403;
            return true;
        case EMFILE:
        case ENFILE:
        case ENOMEM:
        case EAGAIN:
            response.status = 503;
            return true;
        default:
            return false;
    }
}

/// Relative to the root; empty if there cannot be such a file.
std::string name_in(const std::string& path) {
    if (!path.starts_with('/') || path.find('\0') != std::string::npos) return {};
    auto name = path.substr(std::min(path.find_first_not_of('/'), path.size()));
    if (name.empty() || name.ends_with('/')) name += "index.html";
    return name;
}

ssize_t read_at(const UniqueFd& file, char* to, std::size_t size, std::size_t offset) {
    ssize_t count = 0;
    do count = ::pread(file.get(), to, size, static_cast<off_t>(offset));
    while (count < 0 && errno == EINTR);
    return count;
}

/// httplib cuts the ranges of a request out of what it is given, and before 0.16 it takes their
/// ends as they come: beyond the end of a file, too. Fits them into `size` bytes; false if none of
/// them begins there.
bool fit(httplib::Ranges& ranges, ssize_t size) {
    httplib::Ranges inside;
    for (auto [first, last] : ranges) {
        if (first < 0 && last < 0) continue;
        if (first < 0) {
            if (last == 0) continue;
            first = std::max<ssize_t>(size - last, 0);
            last = -1;
        }
        if (last < 0 || last >= size) last = size - 1;
        if (first <= last) inside.emplace_back(first, last);
    }
    ranges = std::move(inside);
    return !ranges.empty();
}

void send_whole(const UniqueFd& file, off_t size, const char* type, httplib::Response& response) {
    std::string body(static_cast<std::size_t>(size), '\0');
    std::size_t done = 0;
    while (done < body.size()) {
        const auto count = read_at(file, body.data() + done, body.size() - done, done);
        if (count <= 0) break;  // cut short since
        done += static_cast<std::size_t>(count);
    }
    body.resize(done);
    response.set_content(body, type);
}

void send_in_pieces(UniqueFd file, off_t size, const char* type, httplib::Response& response) {
    // A std::function wants to be copied.
    auto shared = std::make_shared<const UniqueFd>(std::move(file));
    response.set_content_provider(
        static_cast<std::size_t>(size), type,
        [shared = std::move(shared)](std::size_t offset, std::size_t length,
                                     httplib::DataSink& sink) {
            std::array<char, piece_bytes> piece;
            const auto count =
                read_at(*shared, piece.data(), std::min(length, piece.size()), offset);
            // Cut short since: the client shall not take it for the whole.
            return count > 0 && sink.write(piece.data(), static_cast<std::size_t>(count));
        });
}

}  // namespace

StaticFiles::StaticFiles(std::string root) : root_(std::move(root)) {
    if (!open_root(root_))
        throw Error(Error::Kind::config,
                    "cannot serve files from '" + root_ + "': it is not a directory");
}

bool StaticFiles::answer(const httplib::Request& request, httplib::Response& response) const {
    const bool wanted = request.method == "GET" || request.method == "HEAD";
    const auto name = wanted ? name_in(request.path) : std::string();
    if (name.empty()) return false;
    errno = 0;
    struct stat status {};
    auto file = open_regular(open_root(root_), name, status);
    if (!file) return refuse(errno, response);
    // The request is a local variable of httplib's process_request(), which goes on with it.
    auto& ranges = const_cast<httplib::Request&>(request).ranges;
    // Of several, httplib 0.11 gives the size of the file as 0; all of it is an answer as well.
    if (request.method == "HEAD" || ranges.size() > 1) ranges.clear();
    if (!ranges.empty() && !fit(ranges, status.st_size)) {
        response.status = 416;
        response.set_header("Content-Range", "bytes */" + std::to_string(status.st_size));
        return true;
    }
    const auto* const type = content_type_of(name);
    if (status.st_size <= whole_bytes_max && ranges.empty())
        send_whole(file, status.st_size, type, response);
    else
        send_in_pieces(std::move(file), status.st_size, type, response);
    return true;
}

const char* content_type_of(std::string_view name) {
    static constexpr std::array<std::pair<std::string_view, const char*>, 32> types{{
        {"avif", "image/avif"},     {"css", "text/css"},
        {"csv", "text/csv"},        {"gif", "image/gif"},
        {"gz", "application/gzip"}, {"htm", "text/html"},
        {"html", "text/html"},      {"ico", "image/x-icon"},
        {"jpeg", "image/jpeg"},     {"jpg", "image/jpeg"},
        {"js", "text/javascript"},  {"json", "application/json"},
        {"mjs", "text/javascript"}, {"mp3", "audio/mpeg"},
        {"mp4", "video/mp4"},       {"otf", "font/otf"},
        {"pdf", "application/pdf"}, {"png", "image/png"},
        {"svg", "image/svg+xml"},   {"tar", "application/x-tar"},
        {"ttf", "font/ttf"},        {"txt", "text/plain"},
        {"vtt", "text/vtt"},        {"wasm", "application/wasm"},
        {"wav", "audio/wav"},       {"webm", "video/webm"},
        {"webp", "image/webp"},     {"woff", "font/woff"},
        {"woff2", "font/woff2"},    {"xhtml", "application/xhtml+xml"},
        {"xml", "application/xml"}, {"zip", "application/zip"},
    }};
    const auto dot = name.rfind('.');
    const auto ending = dot == std::string_view::npos ? "" : name.substr(dot + 1);
    for (const auto& [known, type] : types)
        if (known == ending) return type;
    return "application/octet-stream";
}

}  // namespace handoverd
