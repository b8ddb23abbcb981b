// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace handover {

/// A text of which parts come from the network or from another process, for whoever reads it in a
/// log, a status or a terminal: one line, in UTF-8, which moves no cursor, sets no colour and turns
/// no direction. What would, and what is no UTF-8, becomes "\x1b", byte by byte. Printable text
/// stays as it is, so that it does no harm to do it twice.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace handover
