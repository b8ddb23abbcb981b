// SPDX-License-Identifier: MIT
#pragma once

#include "handoverd/page/html.h"
#include "handoverd/page/page_model.h"

#include <vector>

namespace handoverd {

/// The river of connections that flows up through the rows of the generations, which it is drawn
/// beside: one picture for each of them, as high as its row, whose upper edge fits the lower one of
/// the row above. Its width is the number of connections. Generations that nobody took over from,
/// because they failed or died, are beside it. For the eye only: the rows say the same in words.
[[nodiscard]] std::vector<Html> flow_of(const PageModel& model);

}  // namespace handoverd
