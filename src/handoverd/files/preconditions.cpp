// SPDX-License-Identifier: MIT
#include "handoverd/files/preconditions.h"

#include "handoverd/files/entity_tag.h"
#include "http/http_date.h"

namespace handoverd {
namespace {

using handover::http::parse_http_date;
using std::chrono::sys_seconds;

std::optional<sys_seconds> date_in(const std::optional<std::string>& header, sys_seconds now) {
    return header ? parse_http_date(*header, now) : std::nullopt;
}

bool precondition_failed(const Preconditions& preconditions, const Validators& validators,
                         sys_seconds now) {
    if (preconditions.if_match)
        return !names_tag(*preconditions.if_match, validators.tag, Comparison::strong);
    const auto date = date_in(preconditions.if_unmodified_since, now);
    return date && validators.last_modified > *date;
}

bool not_modified(const Preconditions& preconditions, const Validators& validators,
                  sys_seconds now) {
    if (preconditions.if_none_match)
        return names_tag(*preconditions.if_none_match, validators.tag, Comparison::weak);
    const auto date = date_in(preconditions.if_modified_since, now);
    return date && validators.last_modified <= *date;
}

/// A tag or a date. A date says nothing about what was changed in the same second as it, so it
/// counts only when that second is over (8.8.2.2).
bool is_same_state(const std::string& if_range, const Validators& validators, sys_seconds now) {
    if (same_tag(if_range, validators.tag, Comparison::strong)) return true;
    const auto date = parse_http_date(if_range, now);
    return date && *date == validators.last_modified && *date < now;
}

}  // namespace

PreconditionResult evaluate(const Preconditions& preconditions, const Validators& validators,
                            sys_seconds now) {
    if (precondition_failed(preconditions, validators, now)) return PreconditionResult::failed;
    if (not_modified(preconditions, validators, now)) return PreconditionResult::not_modified;
    const bool same =
        !preconditions.if_range || is_same_state(*preconditions.if_range, validators, now);
    return same ? PreconditionResult::send : PreconditionResult::send_all;
}

}  // namespace handoverd
