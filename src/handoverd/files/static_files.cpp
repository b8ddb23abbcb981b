// SPDX-License-Identifier: MIT
#include "handoverd/files/static_files.h"

#include "handover/error.h"
#include "handover/printable.h"
#include "handover/unique_fd.h"
#include "handoverd/files/content_coding.h"
#include "handoverd/files/content_type.h"
#include "handoverd/files/file_body.h"
#include "handoverd/files/found_file.h"
#include "handoverd/files/httplib_response.h"
#include "handoverd/files/preconditions.h"
#include "handoverd/files/url_path.h"
#include "http/byte_ranges.h"
#include "http/http_date.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <utility>
#include <vector>

namespace handoverd {
namespace {

using handover::Error;
using handover::UniqueFd;
using handover::http::ByteSpan;

UniqueFd open_root(const std::string& root) {
    return UniqueFd(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
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

/// All lines of a header that is a list.
std::optional<std::string> list_in(const httplib::Request& request, const std::string& name) {
    std::optional<std::string> list;
    const auto [begin, end] = request.headers.equal_range(name);
    for (auto line = begin; line != end; ++line)
        list = list ? *list + ", " + line->second : line->second;
    return list;
}

/// A header that is no list; not given if it is there twice, which says nothing.
std::optional<std::string> header_in(const httplib::Request& request, const std::string& name) {
    const auto [begin, end] = request.headers.equal_range(name);
    return std::distance(begin, end) == 1 ? std::optional(begin->second) : std::nullopt;
}

std::string in_hex(std::uint64_t number) {
    std::array<char, 16> digits;
    const auto end = std::to_chars(digits.begin(), digits.end(), number, 16).ptr;
    return {digits.begin(), end};
}

/// By what each host says the same about a file that was copied with its time.
Validators validators_of(const struct stat& status, const ContentCoding* coding,
                         std::chrono::sys_seconds now) {
    const auto& changed = status.st_mtim;
    const std::chrono::sys_seconds time{std::chrono::seconds(changed.tv_sec)};
    auto tag = in_hex(static_cast<std::uint64_t>(changed.tv_sec)) + "." +
               in_hex(static_cast<std::uint64_t>(changed.tv_nsec)) + "-" +
               in_hex(static_cast<std::uint64_t>(status.st_size));
    if (coding != nullptr) tag.append("-").append(coding->name);
    return {"\"" + tag + "\"", std::min(time, now)};
}

std::string new_boundary() {
    std::random_device random;
    return in_hex(std::uint64_t{random()} << 32U | random()) +
           in_hex(std::uint64_t{random()} << 32U | random());
}

}  // namespace

/// One request for one file.
class StaticFiles::Exchange {
  public:
    Exchange(const StaticFilesOptions& options, std::string name, const httplib::Request& request,
             httplib::Response& response)
        : options_(options),
          root_(open_root(options.root)),
          name_(std::move(name)),
          request_(request),
          response_(response) {}

    bool answer() {
        const FoundFile plain(root_, name_);
        if (!plain.exists()) return refuse(errno, response_);
        if (plain.is_directory()) return send_to_index();
        if (!plain.is_regular()) return false;
        if (!is_read()) {
            response_.status = 405;
            response_.set_header("Allow", "GET, HEAD");
            return true;
        }
        auto file = open_chosen(plain);
        struct stat status {};
        if (!file || ::fstat(file.get(), &status) != 0) return refuse(errno, response_);
        respond(std::move(file), status);
        return true;
    }

  private:
    [[nodiscard]] bool is_head() const { return request_.method == "HEAD"; }
    [[nodiscard]] bool is_read() const { return request_.method == "GET" || is_head(); }

    bool send_to_index();
    UniqueFd open_chosen(const FoundFile& plain);
    void respond(UniqueFd file, const struct stat& status);
    std::optional<std::vector<ByteSpan>> spans_asked_for(std::uint64_t size) const;
    void describe(const Validators& validators);
    void send_content(UniqueFd file, std::uint64_t size, const std::vector<ByteSpan>& spans);

    const StaticFilesOptions& options_;
    const UniqueFd root_;
    const std::string name_;
    const httplib::Request& request_;
    httplib::Response& response_;
    bool has_packed_ = false;
    const ContentCoding* coding_ = nullptr;  ///< of what is sent
};

/// To where the page of a directory is, so that the links in it lead on from there.
bool StaticFiles::Exchange::send_to_index() {
    if (!is_read() || !FoundFile(root_, name_ + "/index.html").is_regular()) return false;
    response_.status = 301;
    response_.set_header("Location", location_with_slash(name_, request_.target));
    return true;
}

/// The file itself, or one beside it that is packed as the client likes it. One that is older is
/// forgotten: it would be what the file once was.
UniqueFd StaticFiles::Exchange::open_chosen(const FoundFile& plain) {
    const AcceptedCodings accepted(list_in(request_, "Accept-Encoding"));
    std::optional<FoundFile> best;
    int best_weight = 0;
    for (const auto& coding : content_codings) {
        FoundFile packed(root_, name_ + std::string(coding.ending));
        if (!packed.is_regular() || packed.is_older_than(plain)) continue;
        has_packed_ = true;
        if (accepted.weight(coding) <= best_weight) continue;
        best_weight = accepted.weight(coding);
        best = std::move(packed);
        coding_ = &coding;
    }
    // To refuse the file as it is (406) would help nobody who does not want it so.
    if (best && accepted.plain_weight() <= best_weight)
        if (auto packed = best->open()) return packed;
    coding_ = nullptr;
    return plain.open();
}

void StaticFiles::Exchange::respond(UniqueFd file, const struct stat& status) {
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    const auto validators = validators_of(status, coding_, now);
    const Preconditions preconditions{
        list_in(request_, "If-Match"), header_in(request_, "If-Unmodified-Since"),
        list_in(request_, "If-None-Match"), header_in(request_, "If-Modified-Since"),
        header_in(request_, "If-Range")};
    const auto result = evaluate(preconditions, validators, now);
    if (result == PreconditionResult::failed) {
        response_.status = 412;
        return;
    }
    if (result == PreconditionResult::not_modified) {
        response_.status = 304;
        return describe(validators);
    }
    const auto size = static_cast<std::uint64_t>(status.st_size);
    const auto spans = result == PreconditionResult::send ? spans_asked_for(size) : std::nullopt;
    if (spans && spans->empty()) {
        response_.status = 416;
        response_.set_header("Content-Range", "bytes */" + std::to_string(size));
        return;
    }
    describe(validators);
    response_.set_header("Accept-Ranges", "bytes");
    if (coding_ != nullptr) response_.set_header("Content-Encoding", std::string(coding_->name));
    send_content(std::move(file), size, spans.value_or(std::vector<ByteSpan>()));
}

/// nullopt: all of it.
std::optional<std::vector<ByteSpan>> StaticFiles::Exchange::spans_asked_for(
    std::uint64_t size) const {
    if (is_head()) return std::nullopt;  // only to GET they mean something
    const auto header = header_in(request_, "Range");
    const auto ranges = header ? handover::http::parse_byte_ranges(*header) : std::nullopt;
    if (!ranges) return std::nullopt;
    return handover::http::spans_within(*ranges, size);
}

/// What a 304 says, too.
void StaticFiles::Exchange::describe(const Validators& validators) {
    response_.set_header("ETag", validators.tag);
    response_.set_header("Last-Modified", handover::http::to_http_date(validators.last_modified));
    if (has_packed_) response_.set_header("Vary", "Accept-Encoding");
    if (const auto& value = options_.cache_control.value_for(name_); !value.empty())
        response_.set_header("Cache-Control", value);
    response_.set_header("X-Content-Type-Options", "nosniff");
}

void StaticFiles::Exchange::send_content(UniqueFd file, std::uint64_t size,
                                         const std::vector<ByteSpan>& spans) {
    std::string type = content_type_of(name_);
    FileBody body(std::move(file));
    if (spans.size() > 1) {
        const auto boundary = new_boundary();
        body.add_multipart(spans, type, size, boundary);
        type = "multipart/byteranges; boundary=" + boundary;
    } else {
        body.add(spans.empty() ? ByteSpan{0, size} : spans.front());
    }
    response_.status = spans.empty() ? 200 : 206;
    if (spans.size() == 1)
        response_.set_header("Content-Range", content_range(spans.front(), size));
    keep_as_it_is(request_);
    send(std::move(body), type, is_head(), response_, [report = &options_.report, name = name_] {
        if (*report)
            (*report)("the file '" + handover::printable(name) +
                      "' was cut short while it was sent, so the connection was closed: give "
                      "a new file its name with rename(2) instead");
    });
}

StaticFiles::StaticFiles(StaticFilesOptions options) : options_(std::move(options)) {
    if (!open_root(options_.root))
        throw Error(Error::Kind::config,
                    "cannot serve files from '" + options_.root + "': it is not a directory");
}

bool StaticFiles::answer(const httplib::Request& request, httplib::Response& response) const {
    auto name = name_asked_for(request.path);
    errno = 0;
    return name && Exchange(options_, std::move(*name), request, response).answer();
}

}  // namespace handoverd
