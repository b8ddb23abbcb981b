// SPDX-License-Identifier: MIT
#include "handoverd/config/configuration_file.h"

#include "handover/printable.h"
#include "handover/unique_fd.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

namespace handoverd {
namespace {

constexpr std::size_t largest = std::size_t{1} << 20U;
constexpr std::string_view space = " \t\r";

std::string_view trimmed(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of(space), text.size()));
    return text.substr(0, text.find_last_not_of(space) + 1);
}

/// A '#' begins a comment where a word could begin: names of files and fragments may contain one.
std::string_view without_comment(std::string_view text) {
    for (auto at = text.find('#'); at != std::string_view::npos; at = text.find('#', at + 1))
        if (at == 0 || space.find(text[at - 1]) != std::string_view::npos)
            return text.substr(0, at);
    return text;
}

/// Where a byte is that no text has; npos if there is none.
std::size_t not_text(std::string_view line) {
    // What a terminal would obey is no text either; tabs are, and so is the end of a DOS line.
    const auto tab_free = [](char c) { return c == '\t' || c == '\r' ? ' ' : c; };
    std::string plain(line);
    std::transform(plain.begin(), plain.end(), plain.begin(), tab_free);
    const auto shown = handover::printable(plain);
    if (shown == plain) return std::string_view::npos;
    const auto [at, unused] = std::mismatch(plain.begin(), plain.end(), shown.begin(), shown.end());
    return static_cast<std::size_t>(at - plain.begin());
}

std::string what_is_no_text(std::string_view line, std::size_t at) {
    constexpr std::string_view digits = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(line[at]);
    return std::string("not a text: byte ") + std::to_string(at + 1) + " of the line is 0x" +
           digits[byte >> 4U] + digits[byte & 15U] + ", write text in UTF-8";
}

/// Of "drain-timeout 20s", "drain-timeout: 20s" or "anchor", what may have been meant.
std::string as_assignment(std::string_view text) {
    const auto end = std::min(text.find_first_of(" \t:"), text.size());
    const auto rest = text.substr(std::min(text.find_first_not_of(" \t:", end), text.size()));
    return std::string(text.substr(0, end)) + "=" + (rest.empty() ? "..." : std::string(rest));
}

/// Reads the lines of a text one by one.
class Reader {
  public:
    explicit Reader(ConfigurationFile& file) : file_(file) {}

    /// False: nothing that follows would make sense.
    bool take(std::string_view line) {
        ++number_;
        const auto text = trimmed(line);
        if (text.empty() || text.front() == '#') return true;
        if (const auto at = not_text(line); at != std::string_view::npos) {
            refuse(what_is_no_text(line, at));
            return false;
        }
        const auto equals = text.find('=');
        if (text.front() == '[' && equals == std::string_view::npos)
            refuse("there are no sections, take the line out");
        else if (equals == std::string_view::npos)
            refuse("there is no '=', write " + as_assignment(trimmed(without_comment(text))));
        else if (trimmed(text.substr(0, equals)).empty())
            refuse("there is no name before the '=', write name=value");
        else
            take(trimmed(text.substr(0, equals)), trimmed(text.substr(equals + 1)));
        return true;
    }

  private:
    void take(std::string_view name, std::string_view rest) {
        const auto value = rest.starts_with('"') ? quoted(rest) : trimmed(without_comment(rest));
        if (value) file_.items.push_back({number_, std::string(name), std::string(*value)});
    }

    std::optional<std::string_view> quoted(std::string_view rest) {
        const auto end = rest.find('"', 1);
        if (end == std::string_view::npos) {
            refuse("the second '\"' is missing");
            return std::nullopt;
        }
        const auto behind = trimmed(rest.substr(end + 1));
        if (!behind.empty() && behind.front() != '#') {
            refuse("there is something behind the second '\"', take it out");
            return std::nullopt;
        }
        return rest.substr(1, end - 1);
    }

    void refuse(std::string text) { file_.add_fault(number_, std::move(text)); }

    ConfigurationFile& file_;
    std::size_t number_ = 0;
};

std::string cannot_be_read(int error) {
    return std::string("cannot be read: ") + ::strerrordesc_np(error);
}

/// What is no file may have no end, or none that comes soon.
std::string fault_of_kind(int fd) {
    struct stat status {};
    if (::fstat(fd, &status) != 0) return cannot_be_read(errno);
    if (S_ISREG(status.st_mode) || S_ISCHR(status.st_mode)) return {};
    return S_ISDIR(status.st_mode) ? "is a directory, name the file in it" : "is no file, name one";
}

/// False: errno says why not.
bool read_all(int fd, std::string& text) {
    std::array<char, 4096> part{};
    for (;;) {
        const auto length = ::read(fd, part.data(), part.size());
        if (length < 0 && errno == EINTR) continue;
        if (length <= 0) return length == 0;
        text.append(part.data(), static_cast<std::size_t>(length));
        if (text.size() <= largest) continue;
        errno = EFBIG;
        return false;
    }
}

}  // namespace

ConfigurationFile ConfigurationFile::read(const std::string& path, Missing missing) {
    ConfigurationFile empty{path, {}, {}};
    // Opening a fifo would wait for whoever writes to it.
    const handover::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!fd && errno == ENOENT && missing == Missing::is_empty) return empty;
    std::string fault = fd ? fault_of_kind(fd.get()) : cannot_be_read(errno);
    std::string text;
    if (fault.empty() && !read_all(fd.get(), text)) fault = cannot_be_read(errno);
    if (fault.empty()) return parse(path, text);
    empty.add_fault(0, fault);
    return empty;
}

ConfigurationFile ConfigurationFile::parse(std::string path, std::string_view text) {
    ConfigurationFile file{std::move(path), {}, {}};
    Reader reader(file);
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        if (!reader.take(text.substr(0, end))) break;
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return file;
}

std::string ConfigurationFile::to_line(const std::string& name, const std::string& value) {
    const bool plain = trimmed(without_comment(value)) == value && !value.starts_with('"');
    return plain ? name + "=" + value : name + "=\"" + value + "\"";
}

void ConfigurationFile::add_fault(std::size_t line, std::string text) {
    const auto place = std::upper_bound(
        faults.begin(), faults.end(), line,
        [](std::size_t number, const Fault& fault) { return number < fault.line; });
    faults.insert(place, {line, std::move(text)});
}

std::string ConfigurationFile::place(std::size_t line) const {
    return line == 0 ? path : path + ":" + std::to_string(line);
}

}  // namespace handoverd
