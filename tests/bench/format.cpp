// SPDX-License-Identifier: MIT
#include "bench/format.h"

#include <iomanip>
#include <sstream>

namespace handover::bench {

std::string number(double value, int decimals) {
    std::ostringstream out;
    out << std::fixed << std::setprecision(decimals) << value;
    std::string text = out.str();
    const auto point = text.find('.');
    const auto first = text.front() == '-' ? 1 : 0;
    auto position = static_cast<std::ptrdiff_t>(point == std::string::npos ? text.size() : point);
    for (position -= 3; position > first; position -= 3)
        text.insert(static_cast<std::size_t>(position), 1, ' ');
    return text;
}

std::string cell(const Spread& spread, int decimals) {
    const auto median = number(spread.median, decimals);
    const auto min = number(spread.min, decimals);
    const auto max = number(spread.max, decimals);
    return min == max ? median : median + " [" + min + ".." + max + "]";
}

}  // namespace handover::bench
