// SPDX-License-Identifier: MIT
#include "handoverd/page/page_flow.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cstddef>

namespace handoverd {
namespace {

using Generation = PageModel::Generation;
using Rows = std::vector<Generation>;

// A segment is 160 wide and 100 high, and is stretched to the height of its row.
constexpr double middle = 60;
constexpr double beside = 128;
constexpr double widest = 84;
constexpr double thinnest = 3;

/// Which rows the connections flow through: the generation that serves, the one that it took over
/// from, and so on.
std::vector<bool> path_of(const Rows& rows) {
    std::vector<bool> path(rows.size());
    auto row = std::find_if(rows.begin(), rows.end(),
                            [](const Generation& each) { return each.is_serving(); });
    if (row == rows.end()) row = rows.begin();
    while (row != rows.end()) {
        path[static_cast<std::size_t>(row - rows.begin())] = true;
        const auto from = row->from;
        row = std::find_if(row + 1, rows.end(),
                           [&](const Generation& each) { return each.number == from; });
    }
    return path;
}

class Flow {
  public:
    explicit Flow(const Rows& rows) : rows_(rows), path_(path_of(rows)) {
        for (const auto& row : rows)
            most_ = std::max(
                {most_, static_cast<double>(row.moved), static_cast<double>(row.connections)});
    }

    [[nodiscard]] Html segment(std::size_t row) const {
        Html shapes;
        if (path_[row]) {
            shapes += band("stream", middle, entering(row), middle, leaving(row));
            shapes += remainder(rows_[row], entering(row));
        } else {
            shapes += passing(row);
            shapes += dead_end(rows_[row]);
        }
        return Html::of(
            "<svg viewBox=\"0 0 160 100\" preserveAspectRatio=\"none\" "
            "aria-hidden=\"true\" focusable=\"false\">{}</svg>",
            {shapes});
    }

  private:
    [[nodiscard]] double width(std::uint64_t connections) const {
        if (connections == 0) return 0;
        return std::max(thinnest, widest * static_cast<double>(connections) / most_);
    }

    /// The row on the path next to this one; rows_.size() if there is none.
    [[nodiscard]] std::size_t above(std::size_t row) const {
        while (row-- > 0)
            if (path_[row]) return row;
        return rows_.size();
    }
    [[nodiscard]] std::size_t below(std::size_t row) const {
        while (++row < rows_.size())
            if (path_[row]) return row;
        return rows_.size();
    }

    /// How wide the flow is where it leaves this row.
    [[nodiscard]] double leaving(std::size_t row) const {
        const auto& generation = rows_[row];
        return width(above(row) < rows_.size() ? generation.moved : generation.connections);
    }

    /// How wide it is where it comes from the row below. The first one begins from nothing.
    [[nodiscard]] double entering(std::size_t row) const {
        const auto source = below(row);
        return source < rows_.size() ? leaving(source) : 0;
    }

    /// The connections that a draining generation still holds: they do not reach the next row.
    [[nodiscard]] Html remainder(const Generation& generation, double enters) const {
        if (generation.is_serving() || generation.connections == 0) return {};
        const double size = width(generation.connections);
        // Where it came in, if that is wider than what has flowed on.
        const double right = middle + std::max(enters, width(generation.moved)) / 2;
        return Html::of("<path class=\"remainder\" d=\"{}\"/>",
                        {fmt::format("M{0:.1f} 100C{0:.1f} 60 {1:.1f} 60 {1:.1f} 12V100Z",
                                     right - size, right)});
    }

    /// The flow beside a generation that is not on its path.
    [[nodiscard]] Html passing(std::size_t row) const {
        const auto source = below(row);
        if (source == rows_.size()) return {};
        const double size = leaving(source);
        return band("stream", middle, size, middle, size);
    }

    /// What flowed to a generation that nobody took over from.
    [[nodiscard]] Html dead_end(const Generation& generation) const {
        if (!generation.from) return {};
        return Html::of("<path class=\"branch\" d=\"{}\"/>",
                        {fmt::format("M{0} 100C{0} 62 {1} 92 {1} 50", middle, beside)});
    }

    static Html band(const char* name, double x_in, double in, double x_out, double out) {
        return Html::of(
            "<path class=\"{}\" d=\"{}\"/>",
            {name, fmt::format("M{:.1f} 100C{:.1f} 60 {:.1f} 40 {:.1f} 0H{:.1f}"
                               "C{:.1f} 40 {:.1f} 60 {:.1f} 100Z",
                               x_in - in / 2, x_in - in / 2, x_out - out / 2, x_out - out / 2,
                               x_out + out / 2, x_out + out / 2, x_in + in / 2, x_in + in / 2)});
    }

    const Rows& rows_;
    const std::vector<bool> path_;
    double most_ = 1;
};

}  // namespace

std::vector<Html> flow_of(const PageModel& model) {
    const Flow flow(model.generations);
    std::vector<Html> segments;
    for (std::size_t row = 0; row < model.generations.size(); ++row)
        segments.push_back(flow.segment(row));
    return segments;
}

}  // namespace handoverd
