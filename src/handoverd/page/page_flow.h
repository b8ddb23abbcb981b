// SPDX-License-Identifier: MIT
#pragma once

#include "handoverd/page/html.h"
#include "handoverd/page/page_model.h"

#include <vector>

namespace handoverd {

/// A Sankey diagram of the connections, which flow up from generation to generation beside the rows
/// of their table: one segment for each row, as high as it, whose upper edge fits the lower one of
/// the segment above. The width of the flow is the number of connections. A generation that nobody
/// took over from, because it failed or died, is a dead end beside it. For the eye only: the rows
/// say the same in words.
[[nodiscard]] std::vector<Html> flow_of(const PageModel& model);

}  // namespace handoverd
