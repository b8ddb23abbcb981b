// SPDX-License-Identifier: MIT
// The example of a dashboard for Grafana asks for what /metrics has, and for nothing else.

#include "process/documentation_fixture.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <functional>

namespace handover::test {
namespace {

using nlohmann::json;

const std::string path = "src/handoverd/grafana.json";

json dashboard() {
    std::string text;
    for (const auto& line : source_file(path)) text += line + "\n";
    return json::parse(text);
}

/// Every text of this name, wherever it is.
Lines texts(const json& in, const std::vector<std::string>& names) {
    Lines found;
    const std::function<void(const json&)> search = [&](const json& value) {
        if (!value.is_structured()) return;
        for (const auto& [key, part] : value.items()) {
            const bool is_wanted = std::find(names.begin(), names.end(), key) != names.end();
            if (value.is_object() && is_wanted && part.is_string())
                found.push_back(part.get<std::string>());
            search(part);
        }
    };
    search(in);
    return found;
}

class Grafana : public DocumentationTest {
  protected:
    /// With a value in all that has none before the first request.
    Names samples() const {
        Daemon daemon(directory_, with_options({}));
        EXPECT_EQ(daemon.ask().status, 200);
        return all_in(lines_of(RawClient(daemon.admin(), timeout).get("/metrics").body), "^(.*)$");
    }
};

TEST_F(Grafana, asks_for_metrics_that_there_are_and_shows_each_of_them) {
    const auto asked = all_in(texts(dashboard(), {"expr", "definition"}), "(handover_[a-z_]+)");
    const Names lines = samples();
    const auto there = all_in({lines.begin(), lines.end()}, "^(handover_[a-z_]+)");
    EXPECT_FALSE(asked.empty()) << path << " was not understood";
    for (const auto& name : asked)
        EXPECT_TRUE(there.contains(name)) << path << ": /metrics has no " << name;
    for (const auto& name : all_in({lines.begin(), lines.end()}, "^# HELP (handover_[a-z_]+)")) {
        const auto shown = std::any_of(asked.begin(), asked.end(), [&](const std::string& one) {
            return one == name || one == name + "_bucket" || one == name + "_sum";
        });
        EXPECT_TRUE(shown) << path << ": add a panel for " << name;
    }
}

TEST_F(Grafana, asks_for_labels_and_values_that_there_are) {
    const auto expressions = texts(dashboard(), {"expr"});
    const Names lines = samples();
    for (const auto& list : all_in(expressions, R"re(by \(([a-z_, ]+)\))re"))
        for (const auto& label : all_in({list}, "([a-z_]+)"))
            // The instance, Prometheus adds.
            EXPECT_TRUE(
                label == "instance" ||
                all_in({lines.begin(), lines.end()}, "[{,](" + label + ")=\"").contains(label))
                << path << ": no metric has the label " << label;
    const std::string matcher = R"re(([a-z]+=~"[a-z_|]+"))re";
    EXPECT_FALSE(all_in(expressions, matcher).empty()) << path << " was not understood";
    for (const auto& match : all_in(expressions, matcher)) {
        const auto label = match.substr(0, match.find('='));
        for (const auto& value : all_in({match.substr(match.find('"'))}, "([a-z_]+)")) {
            auto pair = label;
            pair.append("=\"").append(value).append("\"");
            EXPECT_FALSE(all_in({lines.begin(), lines.end()}, "(" + pair + ")").empty())
                << path << ": no metric has " << pair;
        }
    }
}

TEST_F(Grafana, has_a_name_and_a_place_for_each_panel) {
    Names ids;
    const auto shown = dashboard();
    for (const auto& panel : shown.at("panels")) {
        EXPECT_NE(panel.at("title"), "");
        EXPECT_NE(panel.at("description"), "") << panel.at("title");
        EXPECT_FALSE(panel.at("targets").empty()) << panel.at("title");
        EXPECT_TRUE(ids.insert(panel.at("id").dump()).second) << panel.at("title");
        EXPECT_LE(panel.at("gridPos").at("x").get<int>() + panel.at("gridPos").at("w").get<int>(),
                  24);
    }
}

}  // namespace
}  // namespace handover::test
