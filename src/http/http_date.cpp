// SPDX-License-Identifier: MIT
#include "http/http_date.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace handover::http {
namespace {

using std::chrono::sys_seconds;

constexpr std::array<std::string_view, 7> day_names{"Sun", "Mon", "Tue", "Wed",
                                                    "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 7> long_day_names{
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> month_names{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/// Takes a text apart from its front. After the first thing that is not there nothing is.
class Scanner {
  public:
    explicit Scanner(std::string_view text) : text_(text) {}

    void expect(std::string_view literal) {
        failed_ = failed_ || !text_.starts_with(literal);
        if (!failed_) text_.remove_prefix(literal.size());
    }

    /// Exactly so many digits.
    int number(std::size_t digits) {
        int value = 0;
        failed_ = failed_ || text_.size() < digits;
        for (std::size_t i = 0; i < digits && !failed_; ++i) {
            failed_ = text_[i] < '0' || text_[i] > '9';
            value = value * 10 + (text_[i] - '0');
        }
        if (failed_) return 0;
        text_.remove_prefix(digits);
        return value;
    }

    /// The place of the name among these.
    template <std::size_t count>
    unsigned one_of(const std::array<std::string_view, count>& names) {
        const auto* const name = std::find_if(
            names.begin(), names.end(), [&](const auto& each) { return text_.starts_with(each); });
        failed_ = failed_ || name == names.end();
        if (failed_) return 0;
        text_.remove_prefix(name->size());
        return static_cast<unsigned>(name - names.begin());
    }

    [[nodiscard]] bool next_is(char c) const { return text_.starts_with(c); }
    [[nodiscard]] bool done() const { return !failed_ && text_.empty(); }

  private:
    std::string_view text_;
    bool failed_ = false;
};

struct Fields {
    int year = 0;
    unsigned month = 0;  ///< from 0
    int day = 0;
    int hour = 0;
    int minute = 0;
    int second = 0;
};

void read_time(Scanner& text, Fields& fields) {
    fields.hour = text.number(2);
    text.expect(":");
    fields.minute = text.number(2);
    text.expect(":");
    fields.second = text.number(2);
}

std::optional<sys_seconds> to_time(const Fields& fields) {
    const std::chrono::year_month_day date(std::chrono::year(fields.year),
                                           std::chrono::month(fields.month + 1),
                                           std::chrono::day(static_cast<unsigned>(fields.day)));
    // 60: a leap second, which has no number of its own.
    if (!date.ok() || fields.hour > 23 || fields.minute > 59 || fields.second > 60)
        return std::nullopt;
    return std::chrono::sys_days(date) + std::chrono::hours(fields.hour) +
           std::chrono::minutes(fields.minute) + std::chrono::seconds(std::min(fields.second, 59));
}

/// Sun, 06 Nov 1994 08:49:37 GMT
std::optional<sys_seconds> parse_fixed(std::string_view value) {
    Scanner text(value);
    Fields fields;
    text.one_of(day_names);
    text.expect(", ");
    fields.day = text.number(2);
    text.expect(" ");
    fields.month = text.one_of(month_names);
    text.expect(" ");
    fields.year = text.number(4);
    text.expect(" ");
    read_time(text, fields);
    text.expect(" GMT");
    return text.done() ? to_time(fields) : std::nullopt;
}

/// Sunday, 06-Nov-94 08:49:37 GMT
std::optional<sys_seconds> parse_rfc_850(std::string_view value, sys_seconds now) {
    Scanner text(value);
    Fields fields;
    text.one_of(long_day_names);
    text.expect(", ");
    fields.day = text.number(2);
    text.expect("-");
    fields.month = text.one_of(month_names);
    text.expect("-");
    const int short_year = text.number(2);
    text.expect(" ");
    read_time(text, fields);
    text.expect(" GMT");
    if (!text.done()) return std::nullopt;
    const std::chrono::year_month_day today(std::chrono::floor<std::chrono::days>(now));
    const int latest = static_cast<int>(today.year()) + 50;
    fields.year = latest - (latest - short_year) % 100;
    return to_time(fields);
}

/// Sun Nov  6 08:49:37 1994
std::optional<sys_seconds> parse_asctime(std::string_view value) {
    Scanner text(value);
    Fields fields;
    text.one_of(day_names);
    text.expect(" ");
    fields.month = text.one_of(month_names);
    text.expect(" ");
    if (text.next_is(' ')) {
        text.expect(" ");
        fields.day = text.number(1);
    } else {
        fields.day = text.number(2);
    }
    text.expect(" ");
    read_time(text, fields);
    text.expect(" ");
    fields.year = text.number(4);
    return text.done() ? to_time(fields) : std::nullopt;
}

void put(std::string& text, int number, int digits) {
    for (int divisor = digits == 4 ? 1000 : 10; divisor > 0; divisor /= 10)
        text += static_cast<char>('0' + number / divisor % 10);
}

}  // namespace

std::string to_http_date(sys_seconds time) {
    const auto days = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(days);
    const std::chrono::hh_mm_ss clock(time - days);
    std::string text;
    text.reserve(29);
    text.append(day_names[std::chrono::weekday(days).c_encoding()]).append(", ");
    put(text, static_cast<int>(static_cast<unsigned>(date.day())), 2);
    text.append(" ").append(month_names[static_cast<unsigned>(date.month()) - 1]).append(" ");
    put(text, std::clamp(static_cast<int>(date.year()), 0, 9999), 4);
    text += ' ';
    put(text, static_cast<int>(clock.hours().count()), 2);
    text += ':';
    put(text, static_cast<int>(clock.minutes().count()), 2);
    text += ':';
    put(text, static_cast<int>(clock.seconds().count()), 2);
    return text + " GMT";
}

std::optional<sys_seconds> parse_http_date(std::string_view text, sys_seconds now) {
    if (const auto time = parse_fixed(text)) return time;
    if (const auto time = parse_rfc_850(text, now)) return time;
    return parse_asctime(text);
}

}  // namespace handover::http
