// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace handover {

/// The text as it may go into a log, a status or a terminal, wherever it comes from: one line of
/// UTF-8 (RFC 3629) that moves no cursor, sets no colour and changes no direction of writing. Each
/// byte of a control character, a line separator, a mark of direction or of what is no UTF-8
/// becomes four characters: "\x1b". All else stays as it is, so that doing it twice changes
/// nothing. A log sink needs it for Report::text and Report::reason, in which other processes have
/// their say; the texts of Error and of History have been through it. Thread-safe.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace handover
